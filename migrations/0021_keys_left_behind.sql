-- Whose words an import brought in without their key: what was sealed under it reads as erased, also when they have
-- another one, as soon as something more is sealed for them.
CREATE TABLE keys_left_behind (
    person text PRIMARY KEY
);

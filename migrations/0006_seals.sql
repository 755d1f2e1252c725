-- Signed hashes of ranges of the log, chained: what was sealed cannot be altered, removed, inserted or reordered unseen.
CREATE TABLE seals (
    first     bigint      NOT NULL UNIQUE,
    last      bigint      PRIMARY KEY,
    digest    bytea       NOT NULL,  -- of the seal before this one, the range, and the leaves
    leaves    bytea       NOT NULL,  -- the beginning of each event's hash, to name the first that is wrong
    key       bytea       NOT NULL,  -- the public half of the key that signed
    signature bytea       NOT NULL,
    sealed_at timestamptz NOT NULL DEFAULT now(),
    CHECK (first <= last)
);
CREATE TRIGGER never_rewritten BEFORE UPDATE OR DELETE OR TRUNCATE ON seals
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

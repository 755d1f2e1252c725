-- What Plex said last to each person, shown while it is out of reach. A cache: it may be emptied at any time.
CREATE TABLE library_answers (
    account     text        NOT NULL,
    question    text        NOT NULL,
    answer      bytea       NOT NULL,
    answered_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account, question)
);
CREATE INDEX library_answers_age ON library_answers (answered_at);

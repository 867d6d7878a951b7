-- The book, version 24: the tally: how many certificates there are, without counting them each time.

-- Certificates (their first copies) by the hour in which they expire. Whoever writes a certificate or a revocation adds
-- to it in the same transaction (ca/tally.h); what was in the book before, or was loaded into it, is counted by a walk.
-- Each host has rows of its own, so that none waits for another.
CREATE TABLE tally (
  hour INTEGER NOT NULL,                   -- of not_after_us, since 1970; -1: what expired days ago, together
  host INTEGER NOT NULL,
  issuer INTEGER NOT NULL,
  profile INTEGER NOT NULL,
  certificates INTEGER NOT NULL,
  revoked INTEGER NOT NULL,                -- among these
  PRIMARY KEY (hour, host, issuer, profile)
) STRICT, WITHOUT ROWID;

-- What happened in a minute; kept for a day.
CREATE TABLE tally_minute (
  minute INTEGER NOT NULL,                 -- since 1970
  host INTEGER NOT NULL,
  issued INTEGER NOT NULL,
  revoked INTEGER NOT NULL,
  failed INTEGER NOT NULL,                 -- refused by examiner or signer, or a name was not proven
  PRIMARY KEY (minute, host)
) STRICT, WITHOUT ROWID;

-- How far the walk is: up to this certificate everything is in the tally. One row; none: it has not begun.
CREATE TABLE tally_walk (
  id INTEGER NOT NULL PRIMARY KEY,         -- 1
  issuer INTEGER NOT NULL,
  serial BLOB NOT NULL,
  counted INTEGER NOT NULL,                -- certificates so far
  begun_us INTEGER NOT NULL,
  ended_us INTEGER NOT NULL                -- 0: there is more behind it
) STRICT;

-- What a registrar has heard of its neighbours, for those who only read the book.
CREATE TABLE tally_heard (
  host INTEGER NOT NULL,
  what TEXT NOT NULL,                      -- "ocsp"
  at_us INTEGER NOT NULL,                  -- when it was last said
  until_us INTEGER NOT NULL,               -- what it said: of OCSP, what was committed by then has an answer
  PRIMARY KEY (host, what)
) STRICT, WITHOUT ROWID;

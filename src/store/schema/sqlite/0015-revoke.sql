-- The book, version 15: why single certificates were revoked, and what becomes of the lists of mass revocations.

-- Insert-only. Of one certificate, when its revocation was asked for: the cause with its clocks as the rules were then.
-- Mass revocations have theirs in their own row.
CREATE TABLE revocation_cause (
  issuer INTEGER NOT NULL,
  serial BLOB NOT NULL,
  since_us INTEGER NOT NULL,               -- asked for
  cause TEXT NOT NULL,                     -- row of ca/reasons.c
  section TEXT NOT NULL,                   -- of the document that sets the clock
  reason INTEGER NOT NULL,                 -- CRLReason
  aware_us INTEGER NOT NULL,               -- when the clock began
  should_us INTEGER NOT NULL,              -- the clock that is aimed at; 0: none
  must_us INTEGER NOT NULL,                -- the one that may not be missed
  late_because TEXT NOT NULL,              -- why should_us was missed, where it was
  by_whom TEXT NOT NULL,
  PRIMARY KEY (issuer, serial, since_us)
) STRICT, WITHOUT ROWID;

-- A mass revocation that nobody proposed by hand: a subscriber, or a key itself, said that the key is compromised. It
-- starts when its list is sealed, if it has at most so many members.
CREATE TABLE mass_auto (
  mass INTEGER NOT NULL PRIMARY KEY,
  most INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Lists of mass revocations that have ended, and until when they are kept. Count, roots and the entries themselves
-- stay for good; members that were left out stay in the list.
CREATE TABLE mass_list (
  mass INTEGER NOT NULL PRIMARY KEY,
  until_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX mass_list_until ON mass_list(until_us);

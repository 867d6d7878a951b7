-- The book, version 13: several families, each on its host, work on one book.

-- Who they are. Each has a chain of events, a signer with its journal, and segments of evidence of its own.
CREATE TABLE host (
  id INTEGER NOT NULL PRIMARY KEY,         -- from 1
  name TEXT NOT NULL UNIQUE,               -- "host" of lintel.yaml; "main": the one that has none
  signer TEXT NOT NULL UNIQUE,             -- its row in journal
  chain TEXT NOT NULL,                     -- of its events, as of the last start
  build TEXT NOT NULL,
  first_us INTEGER NOT NULL,
  seen_us INTEGER NOT NULL                 -- by its own clock: when it last said that it lives
) STRICT;
INSERT INTO host (id, name, signer, chain, build, first_us, seen_us) VALUES (1, 'main', 'signer', '', '', 0, 0);

-- Work that one host at a time does: publishing, timers, mass revocations. fence grows whenever it is taken, and
-- is looked at in the transaction of the work itself: who slept too long has an old one.
CREATE TABLE lease (
  name TEXT NOT NULL PRIMARY KEY,          -- crl, timers, mass
  host INTEGER NOT NULL,
  fence INTEGER NOT NULL,
  taken_us INTEGER NOT NULL,
  until_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What is under way belongs to the host whose neighbours were asked.
ALTER TABLE intent_open ADD COLUMN host INTEGER NOT NULL DEFAULT 1;
CREATE INDEX intent_open_host ON intent_open(host, intent);
ALTER TABLE revocation_open ADD COLUMN host INTEGER NOT NULL DEFAULT 1;
CREATE INDEX revocation_open_host ON revocation_open(host, id);
ALTER TABLE challenge ADD COLUMN host INTEGER NOT NULL DEFAULT 1;
ALTER TABLE caa_check ADD COLUMN host INTEGER NOT NULL DEFAULT 1;

-- Frames of evidence as their segments have them, where the book is on a server: for the other hosts, and for when
-- that one's disk is gone.
CREATE TABLE evidence_frame (
  segment INTEGER NOT NULL,
  position INTEGER NOT NULL,
  frame BLOB NOT NULL,
  PRIMARY KEY (segment, position)
) STRICT, WITHOUT ROWID;

-- Entries that a host recorded for the one that publishes. shard -1: all of the issuer's.
CREATE TABLE crl_wanted (
  issuer INTEGER NOT NULL,
  shard INTEGER NOT NULL,
  times INTEGER NOT NULL,
  PRIMARY KEY (issuer, shard)
) STRICT, WITHOUT ROWID;
-- What was published lately, for those who only copy it; keys that were blocked lately.
CREATE INDEX crl_recent ON crl(this_update_us);
CREATE INDEX key_block_recent ON key_block(blocked_us);

-- The book, version 3: what validations saw lies in segments beside the book (evidence/NNNNNN.seg); a row says where.

-- segment 0: the row is older than this version, and its statement is JSON. Otherwise statement is empty.
ALTER TABLE evidence ADD COLUMN segment INTEGER NOT NULL DEFAULT 0;
ALTER TABLE evidence ADD COLUMN position INTEGER NOT NULL DEFAULT 0;
ALTER TABLE evidence ADD COLUMN length INTEGER NOT NULL DEFAULT 0;
ALTER TABLE evidence ADD COLUMN sha256 BLOB;

-- How far each segment is named by rows above. What lies behind that was written, and its commit never came.
CREATE TABLE evidence_segment (
  number INTEGER NOT NULL PRIMARY KEY,
  length INTEGER NOT NULL,
  created_us INTEGER NOT NULL
) STRICT;

-- Insert-only. Keys that perspectives have signed with, interned: a statement is verified with the key of its time.
CREATE TABLE perspective_key (
  id INTEGER NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  spki BLOB NOT NULL,
  rir TEXT NOT NULL,
  resolver_rir TEXT NOT NULL,
  first_us INTEGER NOT NULL,
  UNIQUE (name, spki, rir, resolver_rir)
) STRICT;

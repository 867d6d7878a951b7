-- The book, version 11: certificates that somebody else issued, or we before this book.

-- One row for each time that an operator brought some in.
CREATE TABLE import (
  id INTEGER NOT NULL PRIMARY KEY,         -- shown as "i123"
  source TEXT NOT NULL,                    -- where they were read from, in the operator's words
  note TEXT NOT NULL,
  created_us INTEGER NOT NULL,
  created_by TEXT NOT NULL,                -- operator
  batches INTEGER NOT NULL,                -- requests so far, each with an event
  added INTEGER NOT NULL,
  already INTEGER NOT NULL,                -- were in the book, byte for byte
  last_us INTEGER NOT NULL                 -- of the last batch
) STRICT;

-- Insert-only. Which certificates came that way: the book knows nothing of how their names were proven.
CREATE TABLE certificate_import (
  issuer INTEGER NOT NULL,
  serial BLOB NOT NULL,
  copy INTEGER NOT NULL,
  import INTEGER NOT NULL,
  form TEXT NOT NULL,                      -- "der": whole; "row": serial number and dates alone
  PRIMARY KEY (issuer, serial, copy)
) STRICT, WITHOUT ROWID;
CREATE INDEX certificate_import_of ON certificate_import(import, issuer, serial, copy);

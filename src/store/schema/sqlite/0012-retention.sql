-- The book, version 12: what was dropped when its time was over, month by month.

-- One row for each month and kind of record that was begun to be dropped. What is dropped is a range of ids or times,
-- so a month is a part of its table by itself. Hashes stay: in the rows that are kept, and here over all that are not.
CREATE TABLE retention (
  month INTEGER NOT NULL,                  -- in which the records were made: 202411
  kind TEXT NOT NULL,                      -- row of ca/retention.c
  status TEXT NOT NULL,                    -- dropping, dropped
  from_us INTEGER NOT NULL,                -- the month's first moment
  to_us INTEGER NOT NULL,                  -- and the next month's
  duty TEXT NOT NULL,                      -- row of ca/duties.c that kept it longest
  kept_until_us INTEGER NOT NULL,          -- until when it had to be kept
  at INTEGER NOT NULL,                     -- where the next slice begins: an id or a time
  dropped INTEGER NOT NULL,                -- records so far
  sha256 BLOB NOT NULL,                    -- over the one before and each dropped record, in order
  began_us INTEGER NOT NULL,
  ended_us INTEGER NOT NULL,               -- 0: not yet
  PRIMARY KEY (month, kind)
) STRICT, WITHOUT ROWID;
CREATE INDEX retention_open ON retention(kind, month) WHERE status = 'dropping';

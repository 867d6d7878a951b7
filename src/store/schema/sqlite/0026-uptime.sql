-- The book, version 26: what the status page says of days past.

-- Minutes, counted by the host that has the timers. What nobody looked at is in neither count: the rest of the day.
CREATE TABLE uptime_day (
  day INTEGER NOT NULL,                    -- since 1970-01-01, UTC
  service TEXT NOT NULL,                   -- issue, crl, ocsp
  good INTEGER NOT NULL,                   -- minutes in which it was found to work
  bad INTEGER NOT NULL,                    -- minutes in which it was not
  first_minute INTEGER NOT NULL,           -- since 1970-01-01, of the first look
  last_minute INTEGER NOT NULL,            -- of the last one: a minute counts once
  worked INTEGER NOT NULL,                 -- at the last look: 1, or 0
  words TEXT NOT NULL,                     -- what was wrong last; '': nothing was
  PRIMARY KEY (day, service)
) STRICT, WITHOUT ROWID;

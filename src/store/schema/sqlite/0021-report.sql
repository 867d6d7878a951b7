-- The book, version 21: what people write for incident reports, and which reports were handed over.

-- Why it happened: contributing factors. One that was dropped keeps its number.
CREATE TABLE report_cause (
  incident INTEGER NOT NULL,
  cause INTEGER NOT NULL,                  -- from 1: "Contributing Factor #1"
  title TEXT NOT NULL,
  description TEXT NOT NULL,
  timeline TEXT NOT NULL,
  detection TEXT NOT NULL,
  interaction TEXT NOT NULL,
  method TEXT NOT NULL,                    -- "5 whys", "fishbone"
  changed_us INTEGER NOT NULL,
  changed_by TEXT NOT NULL,                -- operator
  dropped_us INTEGER NOT NULL,             -- 0: in force
  PRIMARY KEY (incident, cause)
) STRICT, WITHOUT ROWID;

-- The five whys of a factor; more or fewer where that is what it takes.
CREATE TABLE report_why (
  incident INTEGER NOT NULL,
  cause INTEGER NOT NULL,
  step INTEGER NOT NULL,                   -- from 1
  question TEXT NOT NULL,
  answer TEXT NOT NULL,
  evidence TEXT NOT NULL,                  -- "event main 17", or words
  changed_us INTEGER NOT NULL,
  changed_by TEXT NOT NULL,
  PRIMARY KEY (incident, cause, step)
) STRICT, WITHOUT ROWID;

-- Bones of the fishbone: what each kind of circumstance had to do with it.
CREATE TABLE report_bone (
  incident INTEGER NOT NULL,
  bone INTEGER NOT NULL,                   -- from 1
  cause INTEGER NOT NULL,                  -- factor that it leads to; 0: the incident
  category TEXT NOT NULL,                  -- people, process, tools, software, environment, measurement
  text TEXT NOT NULL,
  changed_us INTEGER NOT NULL,
  changed_by TEXT NOT NULL,
  dropped_us INTEGER NOT NULL,             -- 0: in force
  PRIMARY KEY (incident, bone)
) STRICT, WITHOUT ROWID;

CREATE TABLE report_lesson (
  incident INTEGER NOT NULL,
  lesson INTEGER NOT NULL,                 -- from 1
  kind TEXT NOT NULL,                      -- well, not-well, lucky, additional
  text TEXT NOT NULL,
  actions TEXT NOT NULL,                   -- numbers of the action items that answer it: "1 3"
  changed_us INTEGER NOT NULL,
  changed_by TEXT NOT NULL,
  dropped_us INTEGER NOT NULL,             -- 0: in force
  PRIMARY KEY (incident, lesson)
) STRICT, WITHOUT ROWID;

-- What a person wrote for a section, who owns it, until when, and who signed it off. A new text takes the sign-off back.
CREATE TABLE report_section (
  incident INTEGER NOT NULL,
  kind TEXT NOT NULL,                      -- preliminary, full, delayed, closure
  section TEXT NOT NULL,                   -- row of incident/report_form.c
  role TEXT NOT NULL,                      -- owner; '': as that row says
  due_us INTEGER NOT NULL,                 -- 0: with the report
  text TEXT NOT NULL,                      -- '': not yet
  written_us INTEGER NOT NULL,             -- 0: not yet
  written_by TEXT NOT NULL,
  signed_us INTEGER NOT NULL,              -- 0: not yet
  signed_by TEXT NOT NULL,
  PRIMARY KEY (incident, kind, section)
) STRICT, WITHOUT ROWID;

-- Why a certificate of the incident is not revoked in time, and until when, where that was said of it alone.
CREATE TABLE report_delay (
  incident INTEGER NOT NULL,
  issuer INTEGER NOT NULL,
  serial BLOB NOT NULL,
  reason TEXT NOT NULL,
  until_us INTEGER NOT NULL,
  said_us INTEGER NOT NULL,
  said_by TEXT NOT NULL,
  PRIMARY KEY (incident, issuer, serial)
) STRICT, WITHOUT ROWID;

-- Insert-only. Reports that left the house, with the hash of what was handed over.
CREATE TABLE report_handed (
  incident INTEGER NOT NULL,
  number INTEGER NOT NULL,                 -- from 1
  kind TEXT NOT NULL,
  handed_us INTEGER NOT NULL,
  handed_by TEXT NOT NULL,
  where_to TEXT NOT NULL,                  -- address of the bug or comment
  sha256 BLOB NOT NULL,                    -- of the Markdown
  PRIMARY KEY (incident, number)
) STRICT, WITHOUT ROWID;

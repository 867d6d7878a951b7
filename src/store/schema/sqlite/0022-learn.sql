-- The book, version 22: what is learned: promises, reviews, training, concerns.

-- A promise. Rows of it change; events say how.
CREATE TABLE incident_action (
  id INTEGER NOT NULL PRIMARY KEY,
  subject TEXT NOT NULL,                   -- 'incident 12', 'review 3', 'drill 4'; '': by itself
  title TEXT NOT NULL,
  kind TEXT NOT NULL,                      -- Prevent, Mitigate, Detect
  causes TEXT NOT NULL,                    -- numbers of root causes: '1, 3'
  criteria TEXT NOT NULL,
  owner TEXT NOT NULL,
  status TEXT NOT NULL,                    -- Ongoing, Complete, Delayed, Canceled
  due_us INTEGER NOT NULL,
  first_due_us INTEGER NOT NULL,           -- as it was promised first
  created_us INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  changed_us INTEGER NOT NULL,
  done_us INTEGER NOT NULL,                -- complete or canceled; 0: open
  evidence TEXT NOT NULL,                  -- where it can be seen
  tell_by_us INTEGER NOT NULL,             -- until when a change must be told in public; 0: nothing is owed
  told_us INTEGER NOT NULL,
  lapses INTEGER NOT NULL,                 -- alarms so far
  alarm_us INTEGER NOT NULL                -- when the next look is due; 0: never
) STRICT;
CREATE INDEX incident_action_subject ON incident_action(subject, id);
CREATE INDEX incident_action_owner ON incident_action(owner, id);
CREATE INDEX incident_action_alarm ON incident_action(alarm_us);

-- Does what was done still hold? Made when a promise is complete.
CREATE TABLE incident_action_check (
  action INTEGER NOT NULL,
  months INTEGER NOT NULL,                 -- 3, 6, 12
  due_us INTEGER NOT NULL,
  done_us INTEGER NOT NULL,                -- 0: not yet
  holds INTEGER NOT NULL,
  evidence TEXT NOT NULL,
  by_whom TEXT NOT NULL,
  alarm_us INTEGER NOT NULL,
  PRIMARY KEY (action, months)
) STRICT, WITHOUT ROWID;
CREATE INDEX incident_action_check_alarm ON incident_action_check(alarm_us);

-- One row: how often incidents are reviewed, and when the next is given out.
CREATE TABLE incident_review_calendar (
  id INTEGER NOT NULL PRIMARY KEY,         -- 1
  every_us INTEGER NOT NULL,
  within_us INTEGER NOT NULL,              -- time to file the brief
  next_us INTEGER NOT NULL,
  lapsed_us INTEGER NOT NULL               -- the last alarm that nobody reviews; 0: none
) STRICT;
INSERT INTO incident_review_calendar (id, every_us, within_us, next_us, lapsed_us) VALUES (1, 604800000000, 1209600000000, 0, 0);
CREATE TABLE incident_reviewer (
  name TEXT NOT NULL PRIMARY KEY,
  since_us INTEGER NOT NULL,
  last_us INTEGER NOT NULL,                -- when the last review was given to them; 0: none yet
  ended_us INTEGER NOT NULL                -- 0: takes part
) STRICT, WITHOUT ROWID;
CREATE INDEX incident_reviewer_turn ON incident_reviewer(ended_us, last_us, name);
-- What there is to review: incidents of others, recorded with this program or brought by an operator, and our own.
CREATE TABLE incident_review_source (
  source TEXT NOT NULL PRIMARY KEY,        -- 'le-caa-2020', 'bug 1886626', 'incident 12'
  kind TEXT NOT NULL,                      -- recorded, public, own
  title TEXT NOT NULL,
  link TEXT NOT NULL,
  added_us INTEGER NOT NULL,
  last_us INTEGER NOT NULL,                -- when it was reviewed last; 0: never
  ended_us INTEGER NOT NULL                -- 0: in the rotation
) STRICT, WITHOUT ROWID;
CREATE INDEX incident_review_source_turn ON incident_review_source(ended_us, last_us, source);
CREATE TABLE incident_review (
  id INTEGER NOT NULL PRIMARY KEY,
  source TEXT NOT NULL,
  reviewer TEXT NOT NULL,
  assigned_us INTEGER NOT NULL,
  due_us INTEGER NOT NULL,
  filed_us INTEGER NOT NULL,               -- 0: not yet
  filed_by TEXT NOT NULL,
  brief TEXT NOT NULL,                     -- what it means for us
  alarm_us INTEGER NOT NULL
) STRICT;
CREATE INDEX incident_review_alarm ON incident_review(alarm_us);

-- What who has a role must have learned, how often, and who has.
CREATE TABLE incident_course (
  role TEXT NOT NULL,
  course TEXT NOT NULL,
  valid_us INTEGER NOT NULL,               -- so long it counts; 0: for good
  words TEXT NOT NULL,
  since_us INTEGER NOT NULL,
  ended_us INTEGER NOT NULL,               -- 0: wanted
  PRIMARY KEY (role, course)
) STRICT, WITHOUT ROWID;
CREATE TABLE incident_trainee (
  person TEXT NOT NULL,
  role TEXT NOT NULL,
  since_us INTEGER NOT NULL,
  ended_us INTEGER NOT NULL,               -- 0: has the role
  alarm_us INTEGER NOT NULL,               -- when something is missing or lapses; 0: nothing does
  PRIMARY KEY (person, role)
) STRICT, WITHOUT ROWID;
CREATE INDEX incident_trainee_alarm ON incident_trainee(alarm_us);
CREATE INDEX incident_trainee_role ON incident_trainee(role, person);
CREATE TABLE incident_training (
  id INTEGER NOT NULL PRIMARY KEY,
  person TEXT NOT NULL,
  role TEXT NOT NULL,
  course TEXT NOT NULL,
  done_us INTEGER NOT NULL,
  until_us INTEGER NOT NULL,               -- 0: for good
  evidence TEXT NOT NULL,
  recorded_us INTEGER NOT NULL,
  by_whom TEXT NOT NULL
) STRICT;
CREATE INDEX incident_training_of ON incident_training(person, role, course, done_us);

-- What somebody of the staff is worried about. Nobody is named, and nothing from which a name follows is kept.
CREATE TABLE incident_concern (
  id INTEGER NOT NULL PRIMARY KEY,
  incident INTEGER NOT NULL,               -- the case that it opened
  words TEXT NOT NULL,
  received_us INTEGER NOT NULL,
  token_sha256 BLOB NOT NULL,              -- by which its filer comes back
  answer TEXT NOT NULL,
  answered_us INTEGER NOT NULL
) STRICT;
CREATE INDEX incident_concern_token ON incident_concern(token_sha256);
-- The one link that all of the staff have; it says nothing of who uses it.
CREATE TABLE incident_concern_link (
  token_sha256 BLOB NOT NULL PRIMARY KEY,
  created_us INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  keepers TEXT NOT NULL,                   -- operators who see what comes by it: 'ann bob'
  ended_us INTEGER NOT NULL                -- 0: works
) STRICT, WITHOUT ROWID;
CREATE INDEX incident_concern_link_live ON incident_concern_link(created_us) WHERE ended_us = 0;

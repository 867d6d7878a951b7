-- The book, version 17: incidents: what is wrong, who does what, what was stopped, which certificates, until when.

-- One row for each; status is the state machine of incident/case.h.
CREATE TABLE incident (
  id INTEGER NOT NULL PRIMARY KEY,         -- from 1
  status TEXT NOT NULL,                    -- detected, declared, contained, scoped, notifying, replacing, revoking, …
  since_us INTEGER NOT NULL,               -- in that status
  title TEXT NOT NULL,
  source TEXT NOT NULL,                    -- how it came to light: row of data/duties/starts.yaml
  cause TEXT NOT NULL,                     -- row of ca/reasons.c that sets the clock of revocation; '': none
  severity TEXT NOT NULL,                  -- critical, high, medium, low
  restricted INTEGER NOT NULL,             -- 1: shown to those alone who have a role in it
  drill INTEGER NOT NULL,
  aware_us INTEGER NOT NULL,               -- when the clocks began
  must_us INTEGER NOT NULL,                -- by then everything has to be revoked; 0: nothing has to
  opened_us INTEGER NOT NULL,
  opened_by TEXT NOT NULL,
  contained_us INTEGER NOT NULL,           -- since when nothing of it is issued any more; 0: not yet
  scope_version INTEGER NOT NULL,          -- the last of incident_scope; 0: none
  plan_version INTEGER NOT NULL,           -- the last of incident_plan; 0: none
  late_us INTEGER NOT NULL,                -- when it was said that the deadline will be missed; 0: it was not
  closed_us INTEGER NOT NULL               -- 0: it is open
) STRICT;
CREATE INDEX incident_open ON incident(id) WHERE closed_us = 0;
CREATE INDEX incident_restricted ON incident(id) WHERE restricted = 1;

-- Insert-only. Each step along an edge.
CREATE TABLE incident_step (
  incident INTEGER NOT NULL,
  step INTEGER NOT NULL,                   -- from 1
  event TEXT NOT NULL,                     -- edge
  status TEXT NOT NULL,                    -- that it led to
  at_us INTEGER NOT NULL,
  by_whom TEXT NOT NULL,
  words TEXT NOT NULL,
  PRIMARY KEY (incident, step)
) STRICT, WITHOUT ROWID;

-- Who had which role, from when to when.
CREATE TABLE incident_role (
  incident INTEGER NOT NULL,
  role TEXT NOT NULL,                      -- commander, scribe, communications, revocation, legal, liaison
  since_us INTEGER NOT NULL,
  holder TEXT NOT NULL,                    -- operator
  given_by TEXT NOT NULL,
  until_us INTEGER NOT NULL,               -- 0: has it now
  words TEXT NOT NULL,                     -- what was handed over with it
  PRIMARY KEY (incident, role, since_us)
) STRICT, WITHOUT ROWID;
CREATE INDEX incident_role_holder ON incident_role(holder, incident) WHERE until_us = 0;

-- Problem reports that tell of it.
CREATE TABLE incident_problem (
  incident INTEGER NOT NULL,
  problem INTEGER NOT NULL,
  linked_us INTEGER NOT NULL,
  linked_by TEXT NOT NULL,
  PRIMARY KEY (incident, problem)
) STRICT, WITHOUT ROWID;
CREATE INDEX incident_problem_of ON incident_problem(problem, incident);

-- What was stopped for it. Such a halt is lifted only once a fix was named and the scope found nothing newer.
CREATE TABLE incident_halt (
  halt TEXT NOT NULL PRIMARY KEY,          -- id of the row in halt
  incident INTEGER NOT NULL,
  added_us INTEGER NOT NULL,
  status TEXT NOT NULL,                    -- halted, checking, clean, dirty
  build TEXT NOT NULL,                     -- that has the fix; '': none was named
  proof TEXT NOT NULL,                     -- rule or test that fails on the old behaviour: "rule e_x", "test tests/unit/…"
  proven_us INTEGER NOT NULL,              -- when that was said
  found INTEGER NOT NULL,                  -- certificates of the scope that were issued since; -1: not counted yet
  counted_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX incident_halt_of ON incident_halt(incident, added_us);

-- Insert-only. Which certificates, as it was believed at the time; each version is one of scope "incident-N".
CREATE TABLE incident_scope (
  incident INTEGER NOT NULL,
  version INTEGER NOT NULL,                -- from 1
  text TEXT NOT NULL,                      -- canonical
  sha256 BLOB NOT NULL,                    -- of the text
  as_of_us INTEGER NOT NULL,
  count INTEGER NOT NULL,
  members_sha256 BLOB NOT NULL,
  detected_us INTEGER NOT NULL,            -- of a correction: when the version before was found to be wrong; 0: the first
  wrong TEXT NOT NULL,                     -- why it was
  avoided TEXT NOT NULL,                   -- how that is avoided from now on
  saved_us INTEGER NOT NULL,
  saved_by TEXT NOT NULL,
  PRIMARY KEY (incident, version)
) STRICT, WITHOUT ROWID;

-- From one row follows when each member is asked to renew: by its rank in the list of the mass revocation.
CREATE TABLE incident_plan (
  incident INTEGER NOT NULL,
  version INTEGER NOT NULL,                -- from 1; the last one holds
  scope_version INTEGER NOT NULL,
  mass INTEGER NOT NULL,                   -- the frozen list and its tiers
  status TEXT NOT NULL,                    -- freezing, set, replaced, over
  count INTEGER NOT NULL,                  -- members
  first_rank INTEGER NOT NULL,             -- those before it are replaced and deployed: asked at once
  start_us INTEGER NOT NULL,               -- the first window opens
  end_us INTEGER NOT NULL,                 -- the last one closes
  width_us INTEGER NOT NULL,               -- of a window
  reserve_us INTEGER NOT NULL,             -- before the deadline: what revoking and publishing take, as measured
  must_us INTEGER NOT NULL,                -- the deadline that it keeps, or misses
  per_hour INTEGER NOT NULL,               -- replacements that can be issued: the least of what was measured
  capacity TEXT NOT NULL,                  -- JSON: what was measured, and where
  late INTEGER NOT NULL,                   -- members whose window closes only after the deadline
  set_us INTEGER NOT NULL,                 -- since when the windows are in force; 0: not yet
  made_us INTEGER NOT NULL,
  made_by TEXT NOT NULL,
  explanation TEXT NOT NULL,               -- address that renewal information points to; '': none
  PRIMARY KEY (incident, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX incident_plan_set ON incident_plan(set_us) WHERE status = 'set';
CREATE INDEX incident_plan_changed ON incident_plan(set_us);
CREATE INDEX incident_plan_mass ON incident_plan(mass);

-- Insert-only. What each tier of a mass revocation but the last says by itself, while mass_tier has what selects its
-- members: one walk over the whole tells all of them apart.
CREATE TABLE mass_tier_alone (
  mass INTEGER NOT NULL,
  tier INTEGER NOT NULL,
  scope TEXT NOT NULL,                     -- canonical
  PRIMARY KEY (mass, tier)
) STRICT, WITHOUT ROWID;

-- The book, version 7: many certificates revoked as one plan.

-- One row for each mass revocation. The list of its members is frozen before anybody approves it; status is
-- the state machine of ca/mass_states.c.
CREATE TABLE mass (
  id INTEGER NOT NULL PRIMARY KEY,         -- shown as "m123"
  status TEXT NOT NULL,                    -- freezing, sealing, proposed, checking, running, paused, done, stopped
  source TEXT NOT NULL,                    -- "key": all certificates of one key; "scope": an expression
  scope TEXT NOT NULL,                     -- canonical text; of a key its SHA-256 in hexadecimal
  scope_sha256 BLOB NOT NULL,              -- of the text; of a key the key's own
  cause TEXT NOT NULL,                     -- row of ca/reasons.c that set the clock; '': none
  reason INTEGER NOT NULL,                 -- CRLReason
  note TEXT NOT NULL,
  aware_us INTEGER NOT NULL,               -- when the clock began
  should_us INTEGER NOT NULL,              -- the clock that the plan aims at; 0: none
  must_us INTEGER NOT NULL,                -- the one that may not be missed; 0: none
  late_because TEXT NOT NULL,              -- why should_us was missed, where it was
  revoked_us INTEGER NOT NULL,             -- revocationDate where it is backdated; 0: when each batch was decided
  as_of_us INTEGER NOT NULL,               -- the book of which moment was asked
  created_us INTEGER NOT NULL,
  created_by TEXT NOT NULL,                -- operator
  plan TEXT NOT NULL,                      -- of the approval; '': small enough to need none
  count INTEGER NOT NULL,                  -- members frozen
  root BLOB NOT NULL,                      -- Merkle root over the batches' roots; empty until sealed
  batches INTEGER NOT NULL,                -- sealed
  at_batch INTEGER NOT NULL,               -- the first that is not done
  stop_after INTEGER NOT NULL,             -- tier behind which it pauses; -1: none
  at_tier INTEGER NOT NULL,                -- how far freezing, then sealing is
  at_issuer INTEGER NOT NULL,
  at_serial BLOB NOT NULL,
  revoked INTEGER NOT NULL,
  already INTEGER NOT NULL,                -- were revoked before by something else
  held INTEGER NOT NULL,                   -- left out: revocation_hold
  started_us INTEGER NOT NULL,             -- 0: not yet
  ended_us INTEGER NOT NULL,               -- 0: not yet
  why TEXT NOT NULL                        -- it is paused or stopped
) STRICT;
CREATE INDEX mass_live ON mass(id)
  WHERE status = 'freezing' OR status = 'sealing' OR status = 'checking' OR status = 'running';
CREATE INDEX mass_same ON mass(scope_sha256, id);

-- Insert-only. In which order: the expressions as they were given, 0 first; the last is everything else.
CREATE TABLE mass_tier (
  mass INTEGER NOT NULL,
  tier INTEGER NOT NULL,
  scope TEXT NOT NULL,                     -- what selects its members, whole
  PRIMARY KEY (mass, tier)
) STRICT, WITHOUT ROWID;

-- The frozen list.
CREATE TABLE mass_member (
  mass INTEGER NOT NULL,
  tier INTEGER NOT NULL,
  issuer INTEGER NOT NULL,
  serial BLOB NOT NULL,
  state INTEGER NOT NULL,                  -- 0: as its batch; 1: left out, revocation_hold says why
  PRIMARY KEY (mass, tier, issuer, serial)
) STRICT, WITHOUT ROWID;

-- What the signer journals in one record: consecutive members of one tier and issuer.
CREATE TABLE mass_batch (
  mass INTEGER NOT NULL,
  batch INTEGER NOT NULL,                  -- from 0
  tier INTEGER NOT NULL,
  issuer INTEGER NOT NULL,
  first BLOB NOT NULL,                     -- serials
  last BLOB NOT NULL,
  count INTEGER NOT NULL,
  root BLOB NOT NULL,                      -- Merkle root of its serials
  status TEXT NOT NULL,                    -- sealed, asked, recorded, done
  revoked_us INTEGER NOT NULL,             -- revocationDate of its entries; 0 until asked
  sequence INTEGER NOT NULL,               -- of the signer's journal; 0 until recorded
  at BLOB NOT NULL,                        -- the serial behind which those begin that are not in the book yet
  revoked INTEGER NOT NULL,
  already INTEGER NOT NULL,
  held INTEGER NOT NULL,
  PRIMARY KEY (mass, batch)
) STRICT, WITHOUT ROWID;

-- Its revocations may be in the signer's journal: they come into the book whatever becomes of the mass.
CREATE INDEX mass_batch_open ON mass_batch(mass, batch) WHERE status = 'asked' OR status = 'recorded';

-- A court's order and the like: exactly these certificates are not revoked by us.
CREATE TABLE revocation_hold (
  issuer INTEGER NOT NULL,
  serial BLOB NOT NULL,
  since_us INTEGER NOT NULL,
  reason TEXT NOT NULL,
  reference TEXT NOT NULL,                 -- of the order
  by_whom TEXT NOT NULL,
  lifted_us INTEGER NOT NULL,              -- 0: in force
  lifted_by TEXT NOT NULL,
  PRIMARY KEY (issuer, serial, since_us)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX revocation_hold_live ON revocation_hold(issuer, serial) WHERE lifted_us = 0;

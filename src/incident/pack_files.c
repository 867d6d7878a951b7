/* The files of the auditor's folder. A file is a row: its statement, its columns, and how the event of a row
 * is found. */
#include "incident/pack_private.h"

/* The first two columns of each statement of a file: the subject and a part of the body of its event. */
const struct store_sql incident_pack_sql[] = {
    {"pack.event",
     "SELECT chain, sequence FROM event WHERE subject = ?1 AND kind || '' = ?2 AND body LIKE ?3 "
     "ORDER BY time_us LIMIT 1"},
    {"pack.last-event",
     "SELECT chain, sequence FROM event WHERE subject = ?1 AND kind LIKE ?2 AND body LIKE ?3 "
     "ORDER BY time_us DESC, sequence DESC LIMIT 1"},
    {"pack.seed", "SELECT chain, sequence, hash FROM event WHERE time_us < ?1 ORDER BY time_us DESC LIMIT 1"},
    {"pack.drawn",
     "SELECT issuer, serial FROM certificate WHERE issued_us >= ?1 AND issued_us < ?2 AND copy = 0"},
    {"pack.certificates",
     "SELECT c.issuer, c.serial, i.name, c.sha256, c.issued_us, c.not_after_us, p.name, c.account, "
     "c.order_id, "
     "c.worst_method, c.oldest_validation_us, c.oldest_caa_us, c.least_quorum, c.rule_set, c.build, "
     "r.revoked_us, r.reason FROM certificate c JOIN issuer i ON i.id = c.issuer "
     "LEFT JOIN profile p ON p.id = c.profile LEFT JOIN revocation r ON r.issuer = c.issuer AND r.shard = "
     "c.shard AND r.serial = c.serial WHERE c.issued_us >= ?1 AND c.issued_us < ?2 AND c.copy = 0 "
     "ORDER BY c.issued_us"},
    {"pack.evidence",
     "SELECT n.type, n.name, n.authorization_id, e.checked_us, d.method, e.ok, e.caa, e.dnssec, "
     "d.perspectives, "
     "e.segment, e.position, e.sha256 FROM certificate_name n JOIN evidence e ON e.authorization_id = "
     "n.authorization_id JOIN dimension d ON d.id = e.dimension WHERE n.issuer = ?1 AND n.serial = ?2 AND "
     "n.copy = 0 ORDER BY n.name, e.checked_us LIMIT 10000"},
    {"pack.approvals",
     "SELECT 'plan ' || a.plan, '%', a.plan, p.action, p.count, p.proposer, a.operator, a.signed_us, "
     "p.expires_us, p.status, p.needed FROM approval a JOIN plan p ON p.id = a.plan WHERE a.signed_us >= ?1 "
     "AND "
     "a.signed_us < ?2 ORDER BY a.signed_us"},
    {"pack.clocks",
     "SELECT subject, '%\"clock\":' || id || ',%', id, duty, force, section, subject, start_us, "
     "evidence, due_us, status, "
     "met_us, CASE WHEN met_us > 0 THEN (due_us - met_us) / 1000000 ELSE 0 END, proof FROM "
     "clock WHERE start_us "
     ">= ?1 AND start_us < ?2 ORDER BY start_us, id"},
    {"pack.incidents",
     "SELECT 'incident ' || id, '%', id, status, severity, source, cause, title, aware_us, opened_us, "
     "contained_us, must_us, closed_us, drill FROM incident WHERE opened_us >= ?1 AND opened_us < ?2 ORDER "
     "BY "
     "id"},
    {"pack.problems", "SELECT 'problem ' || id, '%', id, status, kind, channel, received_us, "
                      "acknowledged_us, found_us, told_us, "
                      "decision, cause, incident, raw_sha256 FROM problem WHERE received_us >= ?1 AND "
                      "received_us < ?2 ORDER BY "
                      "id"},
    {"pack.actions",
     "SELECT 'action ' || id, '%', id, subject, title, kind, causes, criteria, owner, status, created_us, "
     "first_due_us, due_us, done_us, evidence, lapses FROM incident_action WHERE created_us < ?2 AND "
     "(done_us = "
     "0 OR done_us >= ?1) ORDER BY id"},
    {"pack.checks",
     "SELECT 'action ' || action, '%\"months\":' || months || '%', action, months, due_us, done_us, holds, "
     "evidence, by_whom FROM incident_action_check WHERE due_us >= ?1 AND due_us < ?2 ORDER BY due_us, "
     "action"},
    {"pack.reviews", "SELECT 'review ' || r.id, '%', r.id, r.source, s.title, r.reviewer, r.assigned_us, "
                     "r.due_us, r.filed_us, "
                     "r.filed_by, r.brief FROM incident_review r LEFT JOIN incident_review_source s ON "
                     "s.source = r.source WHERE "
                     "r.assigned_us >= ?1 AND r.assigned_us < ?2 ORDER BY r.id"},
    {"pack.trainings",
     "SELECT 'trainee ' || person || ' ' || role, '%\"course\":\"' || course || '\"%', person, role, course, "
     "done_us, until_us, evidence, by_whom FROM incident_training WHERE recorded_us >= ?1 AND recorded_us < "
     "?2 "
     "ORDER BY id"},
    {"pack.drills",
     "SELECT 'drill ' || id, '%', id, scenario, kind, mode, certificates, begun_us, ended_us, passed, "
     "missed, "
     "findings, record_sha256, recorded_by FROM drill WHERE begun_us >= ?1 AND begun_us < ?2 ORDER BY id"},
    {"pack.halts",
     "SELECT 'halt ' || id, '%', id, kind, value, reason, operator, since_us, lifted_us FROM halt "
     "WHERE since_us < ?2 AND (lifted_us IS NULL OR lifted_us >= ?1) ORDER BY since_us"},
    {"pack.masses",
     "SELECT 'mass m' || id, '%', 'm' || id, status, scope, cause, reason, note, aware_us, should_us, "
     "must_us, "
     "created_us, created_by, count, root FROM mass WHERE created_us >= ?1 AND created_us < ?2 ORDER BY id"},
};
const size_t incident_pack_sql_count = LT_COUNT(incident_pack_sql);

const struct pack_file pack_files[] = {
    {"approvals.csv",
     "every approval that was signed, with its plan",
     "plan.approved",
     {{"plan", PACK_TEXT},
      {"action", PACK_TEXT},
      {"count", PACK_NUMBER},
      {"proposer", PACK_TEXT},
      {"approver", PACK_TEXT},
      {"signed", PACK_TIME},
      {"expires", PACK_TIME},
      {"status", PACK_TEXT},
      {"needed", PACK_NUMBER}}},
    {"clocks.csv",
     "every clock that began: what was due, and by what margin it was met (seconds; below 0: late)",
     "clock.opened",
     {{"clock", PACK_NUMBER},
      {"duty", PACK_TEXT},
      {"force", PACK_TEXT},
      {"section", PACK_TEXT},
      {"subject", PACK_TEXT},
      {"start", PACK_TIME},
      {"start evidence", PACK_TEXT},
      {"due", PACK_TIME},
      {"status", PACK_TEXT},
      {"met", PACK_TIME},
      {"margin s", PACK_NUMBER},
      {"proof", PACK_TEXT}}},
    {"incidents.csv",
     "incidents that were opened",
     "incident.opened",
     {{"incident", PACK_NUMBER},
      {"status", PACK_TEXT},
      {"severity", PACK_TEXT},
      {"source", PACK_TEXT},
      {"cause", PACK_TEXT},
      {"title", PACK_TEXT},
      {"aware", PACK_TIME},
      {"opened", PACK_TIME},
      {"contained", PACK_TIME},
      {"must", PACK_TIME},
      {"closed", PACK_TIME},
      {"drill", PACK_TRUTH}}},
    {"problems.csv",
     "problem reports that were received; reporters are not named",
     "problem.received",
     {{"problem", PACK_NUMBER},
      {"status", PACK_TEXT},
      {"kind", PACK_TEXT},
      {"channel", PACK_TEXT},
      {"received", PACK_TIME},
      {"acknowledged", PACK_TIME},
      {"findings", PACK_TIME},
      {"told", PACK_TIME},
      {"decision", PACK_TEXT},
      {"cause", PACK_TEXT},
      {"incident", PACK_NUMBER},
      {"raw sha256", PACK_HEX}}},
    {"actions.csv",
     "promises that were open in the period, or made in it",
     "action.added",
     {{"action", PACK_NUMBER},
      {"for", PACK_TEXT},
      {"title", PACK_TEXT},
      {"kind", PACK_TEXT},
      {"root causes", PACK_TEXT},
      {"criteria", PACK_TEXT},
      {"owner", PACK_TEXT},
      {"status", PACK_TEXT},
      {"made", PACK_TIME},
      {"first due", PACK_TIME},
      {"due", PACK_TIME},
      {"ended", PACK_TIME},
      {"evidence", PACK_TEXT},
      {"alarms", PACK_NUMBER}}},
    {"follow-ups.csv",
     "looks at promises 3, 6 and 12 months later that were due",
     "action.checked",
     {{"action", PACK_NUMBER},
      {"months", PACK_NUMBER},
      {"due", PACK_TIME},
      {"taken", PACK_TIME},
      {"holds", PACK_TRUTH},
      {"evidence", PACK_TEXT},
      {"by", PACK_TEXT}}},
    {"reviews.csv",
     "reviews of incidents, with their briefs",
     "review.assigned",
     {{"review", PACK_NUMBER},
      {"source", PACK_TEXT},
      {"title", PACK_TEXT},
      {"reviewer", PACK_TEXT},
      {"assigned", PACK_TIME},
      {"due", PACK_TIME},
      {"filed", PACK_TIME},
      {"filed by", PACK_TEXT},
      {"brief", PACK_TEXT}}},
    {"trainings.csv",
     "who learned what",
     "training.done",
     {{"person", PACK_TEXT},
      {"role", PACK_TEXT},
      {"course", PACK_TEXT},
      {"done", PACK_TIME},
      {"until", PACK_TIME},
      {"evidence", PACK_TEXT},
      {"by", PACK_TEXT}}},
    {"drills.csv",
     "drills, the test of BR 5.7.1.2 among them",
     "drill.recorded",
     {{"drill", PACK_NUMBER},
      {"scenario", PACK_TEXT},
      {"kind", PACK_TEXT},
      {"mode", PACK_TEXT},
      {"certificates", PACK_NUMBER},
      {"begun", PACK_TIME},
      {"ended", PACK_TIME},
      {"passed", PACK_TRUTH},
      {"missed", PACK_TEXT},
      {"findings", PACK_TEXT},
      {"record sha256", PACK_HEX},
      {"by", PACK_TEXT}}},
    {"halts.csv",
     "what was halted, and until when",
     "halt.added",
     {{"halt", PACK_TEXT},
      {"kind", PACK_TEXT},
      {"value", PACK_TEXT},
      {"reason", PACK_TEXT},
      {"operator", PACK_TEXT},
      {"since", PACK_TIME},
      {"lifted", PACK_TIME}}},
    {"masses.csv",
     "mass revocations",
     "mass.created",
     {{"mass", PACK_TEXT},
      {"status", PACK_TEXT},
      {"scope", PACK_TEXT},
      {"cause", PACK_TEXT},
      {"reason", PACK_NUMBER},
      {"note", PACK_TEXT},
      {"aware", PACK_TIME},
      {"should", PACK_TIME},
      {"must", PACK_TIME},
      {"created", PACK_TIME},
      {"by", PACK_TEXT},
      {"count", PACK_NUMBER},
      {"root", PACK_HEX}}},
};
const size_t pack_file_count = LT_COUNT(pack_files);

const struct pack_column pack_sample_columns[PACK_SAMPLE_COLUMNS] = {
    {"issuer", PACK_TEXT},    {"serial", PACK_HEX},       {"sha256", PACK_HEX},
    {"issued", PACK_TIME},    {"not after", PACK_TIME},   {"profile", PACK_TEXT},
    {"account", PACK_NUMBER}, {"order", PACK_NUMBER},     {"method", PACK_TEXT},
    {"validated", PACK_TIME}, {"caa checked", PACK_TIME}, {"least quorum", PACK_NUMBER},
    {"rule set", PACK_TEXT},  {"build", PACK_TEXT},       {"revoked", PACK_TIME},
    {"reason", PACK_NUMBER},
};
const struct pack_column pack_evidence_columns[PACK_EVIDENCE_COLUMNS] = {
    {"issuer", PACK_TEXT},     {"serial", PACK_HEX},           {"type", PACK_TEXT},
    {"name", PACK_TEXT},       {"authorization", PACK_NUMBER}, {"checked", PACK_TIME},
    {"method", PACK_TEXT},     {"proved", PACK_TRUTH},         {"caa", PACK_TEXT},
    {"dnssec", PACK_TEXT},     {"perspectives", PACK_TEXT},    {"segment", PACK_NUMBER},
    {"position", PACK_NUMBER}, {"frame sha256", PACK_HEX},
};

/* The statements of this area: point look-ups and ranges of an index. */
#include "incident/learn.h"

const struct store_sql incident_learn_sql[LEARN_STATEMENTS] = {
    [LEARN_ACTION_MAX] = {"learn.action-max", "SELECT max(id) FROM incident_action"},
    [LEARN_ACTION_ADD] =
        {"learn.action-add",
         "INSERT INTO incident_action (id, subject, title, kind, causes, criteria, owner, status, due_us, "
         "first_due_us, created_us, created_by, changed_us, done_us, evidence, tell_by_us, told_us, lapses, "
         "alarm_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'Ongoing', ?8, ?8, ?9, ?10, ?9, 0, '', 0, 0, 0, ?8)"},
    [LEARN_ACTION_GET] = {"learn.action",
                          "SELECT subject, title, kind, causes, criteria, owner, status, due_us, done_us, "
                          "evidence, tell_by_us, told_us, lapses FROM incident_action WHERE id = ?1"},
    [LEARN_ACTION_SET] =
        {"learn.action-set",
         "UPDATE incident_action SET causes = ?2, criteria = ?3, owner = ?4, status = ?5, due_us = ?6, "
         "changed_us = ?7, done_us = ?8, evidence = ?9, tell_by_us = ?10, told_us = ?11, alarm_us = ?12 "
         "WHERE id = ?1"},
    [LEARN_ACTION_OPEN] =
        {"learn.action-open",
         "SELECT id, done_us, tell_by_us FROM incident_action WHERE subject = ?1 ORDER BY id LIMIT 1000"},
    [LEARN_ACTION_DUE] = {"learn.action-due",
                          "SELECT id, title, owner, subject, due_us, done_us, tell_by_us, lapses FROM "
                          "incident_action WHERE alarm_us > 0 AND alarm_us <= ?1 ORDER BY alarm_us LIMIT ?2"},
    [LEARN_ACTION_LAPSED] = {"learn.action-lapsed",
                             "UPDATE incident_action SET lapses = ?2, alarm_us = ?3 WHERE id = ?1"},
    /* By whatever road it was told: then no clock of IRG-5 runs any more. */
    [LEARN_UNTOLD] = {"learn.untold",
                      "SELECT 1 FROM clock WHERE subject = ?1 AND duty = 'irg-5' AND (status = "
                      "'open' OR status = 'breached') LIMIT 1"},
    [LEARN_ACTION_HEARD] = {"learn.action-heard",
                            "UPDATE incident_action SET tell_by_us = 0, alarm_us = ?2 WHERE id = ?1"},
    [LEARN_CHECK_ADD] =
        {"learn.check-add",
         "INSERT INTO incident_action_check (action, months, due_us, done_us, holds, evidence, "
         "by_whom, alarm_us) VALUES (?1, ?2, ?3, 0, 0, '', '', ?3) ON CONFLICT (action, months) DO NOTHING"},
    [LEARN_CHECK_GET] =
        {"learn.check",
         "SELECT due_us, done_us FROM incident_action_check WHERE action = ?1 AND months = ?2"},
    [LEARN_CHECK_SET] =
        {"learn.check-set",
         "UPDATE incident_action_check SET done_us = ?3, holds = ?4, evidence = ?5, by_whom = "
         "?6, alarm_us = 0 WHERE action = ?1 AND months = ?2"},
    [LEARN_CHECK_DUE] = {"learn.check-due",
                         "SELECT action, months, due_us FROM incident_action_check WHERE alarm_us > 0 AND "
                         "alarm_us <= ?1 ORDER BY alarm_us LIMIT ?2"},
    [LEARN_CHECK_AGAIN] =
        {"learn.check-again",
         "UPDATE incident_action_check SET alarm_us = ?3 WHERE action = ?1 AND months = ?2"},
    /* A promise that is open again is looked at anew when it is complete again. */
    [LEARN_CHECK_DROP] = {"learn.check-drop",
                          "DELETE FROM incident_action_check WHERE action = ?1 AND done_us = 0"},
    [LEARN_CALENDAR_GET] = {"learn.calendar", "SELECT every_us, within_us, next_us, lapsed_us FROM "
                                              "incident_review_calendar WHERE id = 1"},
    [LEARN_CALENDAR_SET] = {"learn.calendar-set", "UPDATE incident_review_calendar SET every_us = ?1, "
                                                  "within_us = ?2, next_us = ?3 WHERE id = 1"},
    [LEARN_CALENDAR_NEXT] = {"learn.calendar-next",
                             "UPDATE incident_review_calendar SET next_us = ?1, lapsed_us = 0 WHERE id = 1"},
    [LEARN_CALENDAR_LAPSED] = {"learn.calendar-lapsed",
                               "UPDATE incident_review_calendar SET lapsed_us = ?1 WHERE id = 1"},
    [LEARN_REVIEWER_GET] = {"learn.reviewer", "SELECT ended_us FROM incident_reviewer WHERE name = ?1"},
    [LEARN_REVIEWER_ADD] = {"learn.reviewer-add", "INSERT INTO incident_reviewer (name, since_us, last_us, "
                                                  "ended_us) VALUES (?1, ?2, 0, 0)"},
    [LEARN_REVIEWER_BACK] = {"learn.reviewer-back",
                             "UPDATE incident_reviewer SET ended_us = 0, since_us = ?2 WHERE name = ?1"},
    [LEARN_REVIEWER_END] = {"learn.reviewer-end",
                            "UPDATE incident_reviewer SET ended_us = ?2 WHERE name = ?1 AND ended_us = 0"},
    [LEARN_REVIEWER_TURN] = {"learn.reviewer-turn", "SELECT name FROM incident_reviewer WHERE ended_us = 0 "
                                                    "ORDER BY last_us, name LIMIT 1"},
    [LEARN_REVIEWER_GAVE] = {"learn.reviewer-gave",
                             "UPDATE incident_reviewer SET last_us = ?2 WHERE name = ?1"},
    [LEARN_SOURCE_GET] = {"learn.source",
                          "SELECT ended_us, title, link FROM incident_review_source WHERE source = ?1"},
    [LEARN_SOURCE_NEW] = {"learn.source-new",
                          "INSERT INTO incident_review_source (source, kind, title, link, added_us, last_us, "
                          "ended_us) VALUES (?1, ?2, ?3, ?4, ?5, 0, 0) ON CONFLICT (source) DO NOTHING"},
    [LEARN_OWN_CLOSED] =
        {"learn.own-closed",
         "SELECT id, title, closed_us, drill, restricted FROM incident WHERE id > 0 ORDER BY id "
         "DESC LIMIT ?1"},
    [LEARN_SOURCE_BACK] = {"learn.source-back", "UPDATE incident_review_source SET ended_us = 0, title = ?2, "
                                                "link = ?3 WHERE source = ?1"},
    [LEARN_SOURCE_END] = {"learn.source-end",
                          "UPDATE incident_review_source SET ended_us = ?2 WHERE source = "
                          "?1 AND ended_us = 0"},
    [LEARN_SOURCE_TURN] = {"learn.source-turn",
                           "SELECT source FROM incident_review_source WHERE ended_us = 0 "
                           "ORDER BY last_us, source LIMIT 1"},
    [LEARN_SOURCE_GAVE] = {"learn.source-gave",
                           "UPDATE incident_review_source SET last_us = ?2 WHERE source = ?1"},
    [LEARN_REVIEW_MAX] = {"learn.review-max", "SELECT max(id) FROM incident_review"},
    [LEARN_REVIEW_ADD] = {"learn.review-add",
                          "INSERT INTO incident_review (id, source, reviewer, assigned_us, due_us, filed_us, "
                          "filed_by, brief, alarm_us) VALUES (?1, ?2, ?3, ?4, ?5, 0, '', '', ?5)"},
    [LEARN_REVIEW_GET] = {"learn.review", "SELECT source, reviewer, due_us, filed_us FROM incident_review "
                                          "WHERE id = ?1"},
    [LEARN_REVIEW_FILE] = {"learn.review-file", "UPDATE incident_review SET filed_us = ?2, filed_by = ?3, "
                                                "brief = ?4, alarm_us = 0 WHERE id = ?1"},
    [LEARN_REVIEW_DUE] = {"learn.review-due",
                          "SELECT id, source, reviewer, due_us FROM incident_review WHERE "
                          "alarm_us > 0 AND alarm_us <= ?1 ORDER BY alarm_us LIMIT ?2"},
    [LEARN_REVIEW_AGAIN] = {"learn.review-again", "UPDATE incident_review SET alarm_us = ?2 WHERE id = ?1"},
    [LEARN_COURSE_GET] = {"learn.course",
                          "SELECT ended_us, valid_us FROM incident_course WHERE role = ?1 AND "
                          "course = ?2"},
    [LEARN_COURSE_ADD] = {"learn.course-add",
                          "INSERT INTO incident_course (role, course, valid_us, words, since_us, ended_us) "
                          "VALUES (?1, ?2, ?3, ?4, ?5, 0)"},
    [LEARN_COURSE_BACK] =
        {"learn.course-back",
         "UPDATE incident_course SET valid_us = ?3, words = ?4, since_us = ?5, ended_us = 0 "
         "WHERE role = ?1 AND course = ?2"},
    [LEARN_COURSE_END] = {"learn.course-end", "UPDATE incident_course SET ended_us = ?3 WHERE role = ?1 AND "
                                              "course = ?2 AND ended_us = 0"},
    [LEARN_COURSE_OF] =
        {"learn.course-of",
         "SELECT course FROM incident_course WHERE role = ?1 AND ended_us = 0 ORDER BY course "
         "LIMIT 100"},
    [LEARN_TRAINEE_GET] = {"learn.trainee", "SELECT ended_us, since_us FROM incident_trainee WHERE person = "
                                            "?1 AND role = ?2"},
    [LEARN_TRAINEE_ADD] = {"learn.trainee-add", "INSERT INTO incident_trainee (person, role, since_us, "
                                                "ended_us, alarm_us) VALUES (?1, ?2, ?3, 0, ?4)"},
    [LEARN_TRAINEE_BACK] = {"learn.trainee-back",
                            "UPDATE incident_trainee SET since_us = ?3, ended_us = 0, alarm_us = ?4 WHERE "
                            "person = ?1 AND role = ?2"},
    [LEARN_TRAINEE_END] = {"learn.trainee-end",
                           "UPDATE incident_trainee SET ended_us = ?3, alarm_us = 0 WHERE person = ?1 AND "
                           "role = ?2 AND ended_us = 0"},
    [LEARN_TRAINEE_OF] = {"learn.trainee-of", "SELECT person FROM incident_trainee WHERE role = ?1 AND "
                                              "person > ?2 AND ended_us = 0 ORDER BY person LIMIT 1000"},
    [LEARN_TRAINEE_DUE] = {"learn.trainee-due",
                           "SELECT person, role, since_us FROM incident_trainee WHERE alarm_us > 0 AND "
                           "alarm_us <= ?1 ORDER BY alarm_us LIMIT ?2"},
    [LEARN_TRAINEE_ALARM] = {"learn.trainee-alarm",
                             "UPDATE incident_trainee SET alarm_us = ?3 WHERE person = ?1 AND role = ?2 AND "
                             "ended_us = 0"},
    [LEARN_TRAINING_MAX] = {"learn.training-max", "SELECT max(id) FROM incident_training"},
    [LEARN_TRAINING_ADD] = {"learn.training-add",
                            "INSERT INTO incident_training (id, person, role, course, done_us, until_us, "
                            "evidence, recorded_us, by_whom) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"},
    [LEARN_TRAINING_LAST] =
        {"learn.training-last",
         "SELECT done_us, until_us FROM incident_training WHERE person = ?1 AND role = ?2 "
         "AND course = ?3 ORDER BY done_us DESC LIMIT 1"},
    [LEARN_CONCERN_MAX] = {"learn.concern-max", "SELECT max(id) FROM incident_concern"},
    [LEARN_CONCERN_ADD] = {"learn.concern-add",
                           "INSERT INTO incident_concern (id, incident, words, received_us, token_sha256, "
                           "answer, answered_us) VALUES (?1, ?2, ?3, ?4, ?5, '', 0)"},
    [LEARN_CONCERN_GET] =
        {"learn.concern",
         "SELECT incident, received_us, words, answer, answered_us FROM incident_concern WHERE id = ?1"},
    [LEARN_CONCERN_BY_TOKEN] = {"learn.concern-by-token",
                                "SELECT id, incident, received_us, answer, answered_us FROM incident_concern "
                                "WHERE token_sha256 = ?1"},
    [LEARN_CONCERN_ANSWER] = {"learn.concern-answer",
                              "UPDATE incident_concern SET answer = ?2, answered_us = "
                              "?3 WHERE id = ?1"},
    [LEARN_LINK_GET] = {"learn.concern-link",
                        "SELECT ended_us, keepers FROM incident_concern_link WHERE token_sha256 = ?1"},
    [LEARN_LINK_ADD] =
        {"learn.concern-link-add",
         "INSERT INTO incident_concern_link (token_sha256, created_us, created_by, keepers, ended_us) "
         "VALUES (?1, ?2, ?3, ?4, 0)"},
    /* A handful: a link is made anew when it has come to where it should not be. */
    [LEARN_LINK_END] =
        {"learn.concern-link-end",
         "UPDATE incident_concern_link SET ended_us = ?1 WHERE ended_us = 0 AND created_us > 0"},
};

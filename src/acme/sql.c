/* Point look-ups and short ranges only: the registrar waits for each of them. */
#include "acme/sql.h"

const struct store_sql acme_sql[ACME_SQL_COUNT] = {
    [ACME_SQL_ACCOUNT] = {"acme.account",
                          "SELECT status, thumbprint, spki, alg, contacts, terms_agreed_us FROM account "
                          "WHERE id = ?1"},
    [ACME_SQL_ACCOUNT_BY_THUMBPRINT] = {"acme.account-by-thumbprint",
                                        "SELECT id FROM account WHERE thumbprint = ?1"},
    [ACME_SQL_ACCOUNT_ADD] = {"acme.account-add",
                              "INSERT INTO account (id, thumbprint, spki, alg, status, contacts, "
                              "terms_agreed_us, created_us, address) "
                              "VALUES (?1, ?2, ?3, ?4, 'valid', ?5, ?6, ?7, ?8)"},
    [ACME_SQL_ACCOUNT_UPDATE] = {"acme.account-update",
                                 "UPDATE account SET contacts = ?2, terms_agreed_us = ?3 WHERE id = ?1"},
    [ACME_SQL_ACCOUNT_STEP] = {"acme.account-step",
                               "UPDATE account SET status = ?3 WHERE id = ?1 AND status = ?2"},
    [ACME_SQL_ACCOUNT_KEY] = {"acme.account-key", "UPDATE account SET thumbprint = ?3, spki = ?4, alg = ?5 "
                                                  "WHERE id = ?1 AND thumbprint = ?2"},
    [ACME_SQL_ACCOUNT_PENDING] = {"acme.account-pending",
                                  "SELECT count(*) FROM (SELECT id FROM authorization "
                                  "WHERE account = ?1 AND status = 'pending' LIMIT ?2) AS pending"},
    [ACME_SQL_ACCOUNT_PENDING_LIST] = {"acme.account-pending-list",
                                       "SELECT id FROM authorization WHERE account = ?1 AND "
                                       "status = 'pending' LIMIT ?2"},

    [ACME_SQL_ORDER] =
        {"acme.order", "SELECT account, status, profile, identifiers, not_before_us, not_after_us, replaces, "
                       "error, expires_us, intent, certificate_issuer, certificate_serial "
                       "FROM ca_order WHERE id = ?1"},
    [ACME_SQL_ORDER_ADD] = {"acme.order-add",
                            "INSERT INTO ca_order (id, account, status, profile, identifiers, "
                            "name_set_sha256, not_before_us, not_after_us, replaces, created_us, expires_us) "
                            "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"},
    [ACME_SQL_ORDER_STEP] = {"acme.order-step",
                             "UPDATE ca_order SET status = ?3, error = ?4 WHERE id = ?1 AND status = ?2"},
    [ACME_SQL_ORDER_FINALIZED] = {"acme.order-finalized",
                                  "UPDATE ca_order SET status = 'processing', intent = ?2 "
                                  "WHERE id = ?1 AND status = 'ready'"},
    [ACME_SQL_ORDER_ISSUED] = {"acme.order-issued",
                               "UPDATE ca_order SET status = 'valid', certificate_issuer = ?2, "
                               "certificate_serial = ?3 WHERE id = ?1 AND status = 'processing'"},
    [ACME_SQL_ORDER_LIST] = {"acme.order-list",
                             "SELECT id, status FROM ca_order WHERE account = ?1 AND id < ?2 "
                             "ORDER BY id DESC LIMIT ?3"},
    [ACME_SQL_ORDER_DUE] =
        {"acme.order-due",
         "SELECT id, status FROM ca_order WHERE expires_us <= ?1 AND "
         "(status = 'pending' OR status = 'ready' OR status = 'processing') AND status <> 'processing' "
         "ORDER BY expires_us LIMIT ?2"},
    [ACME_SQL_ORDER_PROCESSING] = {"acme.order-processing",
                                   "SELECT id, intent FROM ca_order WHERE status = 'processing' AND id > ?1 "
                                   "ORDER BY id LIMIT ?2"},
    [ACME_SQL_ORDER_AUTHORIZATION_ADD] = {"acme.order-authorization-add",
                                          "INSERT INTO order_authorization (order_id, authorization_id) "
                                          "VALUES (?1, ?2)"},
    [ACME_SQL_ORDER_AUTHORIZATIONS] = {"acme.order-authorizations",
                                       "SELECT a.id, a.status, a.expires_us, a.ancestor FROM "
                                       "order_authorization AS oa "
                                       "JOIN authorization AS a ON a.id = oa.authorization_id "
                                       "WHERE oa.order_id = ?1 ORDER BY a.identifier"},
    [ACME_SQL_ORDER_EVIDENCE] =
        {"acme.order-evidence",
         "SELECT a.id, a.identifier_type, a.identifier, a.wildcard, CASE WHEN a.ancestor IS NULL OR EXISTS "
         "(SELECT 1 FROM authorization AS p WHERE p.id = a.ancestor AND p.status = 'valid') THEN a.status "
         "ELSE 'invalid' END, a.expires_us, a.validated_us, "
         "e.dimension, d.method, e.caa, e.caa_us, e.agreeing, d.perspectives "
         "FROM order_authorization AS oa "
         "JOIN authorization AS a ON a.id = oa.authorization_id "
         "JOIN evidence AS e ON e.authorization_id = a.id AND e.checked_us = a.validated_us "
         "JOIN dimension AS d ON d.id = e.dimension WHERE oa.order_id = ?1"},

    [ACME_SQL_AUTHORIZATION] =
        {"acme.authorization",
         "SELECT a.account, a.identifier_type, a.identifier, a.wildcard, a.status, a.expires_us, "
         "c.idx, c.type, c.status, c.token, c.validated_us, c.error, a.subdomains, a.ancestor "
         "FROM authorization AS a LEFT JOIN challenge AS c ON c.authorization_id = a.id WHERE a.id = ?1 "
         "ORDER BY c.idx"},
    [ACME_SQL_AUTHORIZATION_ADD] = {"acme.authorization-add",
                                    "INSERT INTO authorization (id, account, identifier_type, identifier, "
                                    "wildcard, status, created_us, expires_us, subdomains, ancestor) "
                                    "VALUES (?1, ?2, ?3, ?4, ?5, 'pending', ?6, ?7, ?8, ?9)"},
    [ACME_SQL_AUTHORIZATION_STEP] = {"acme.authorization-step",
                                     "UPDATE authorization SET status = ?3, expires_us = ?4, "
                                     "validated_us = ?5 WHERE id = ?1 AND status = ?2"},
    [ACME_SQL_AUTHORIZATION_REUSE] = {"acme.authorization-reuse",
                                      "SELECT id, ancestor FROM authorization AS a WHERE account = ?1 AND "
                                      "identifier = ?2 AND status = 'valid' AND expires_us > ?3 AND "
                                      "identifier_type = ?4 AND wildcard = ?5 AND validated_us > ?6 AND "
                                      "(ancestor IS NULL OR EXISTS (SELECT 1 FROM authorization AS p WHERE "
                                      "p.id = a.ancestor AND p.status = 'valid')) "
                                      "ORDER BY expires_us DESC LIMIT 1"},
    [ACME_SQL_AUTHORIZATION_COVERS] = {"acme.authorization-covers",
                                       "SELECT id, expires_us, validated_us FROM authorization WHERE "
                                       "account = ?1 AND identifier = ?2 AND subdomains = 1 AND "
                                       "status = 'valid' AND expires_us > ?3 AND validated_us > ?4 "
                                       "ORDER BY expires_us DESC LIMIT 1"},
    [ACME_SQL_AUTHORIZATION_SCOPES] = {"acme.authorization-scopes",
                                       "SELECT 1 FROM authorization WHERE account = ?1 AND subdomains = 1 "
                                       "LIMIT 1"},
    [ACME_SQL_AUTHORIZATION_CHILDREN] = {"acme.authorization-children",
                                         "SELECT id FROM authorization WHERE ancestor = ?1 AND status IN "
                                         "('pending', 'valid') ORDER BY id DESC LIMIT ?2"},
    [ACME_SQL_EVIDENCE_COPY] =
        {"acme.evidence-copy",
         "INSERT INTO evidence (authorization_id, checked_us, dimension, ok, identifier_type, identifier, "
         "dnssec, agreeing, dissenting, statement, segment, position, length, sha256, proven_by) "
         "SELECT ?2, checked_us, dimension, ok, identifier_type, identifier, dnssec, agreeing, dissenting, "
         "statement, segment, position, length, sha256, ?1 FROM evidence WHERE authorization_id = ?1 AND "
         "checked_us = ?3"},
    [ACME_SQL_AUTHORIZATION_ORDERS] =
        {"acme.authorization-orders",
         "SELECT o.id, o.status, (SELECT count(*) FROM order_authorization AS ob "
         "JOIN authorization AS b ON b.id = ob.authorization_id "
         "WHERE ob.order_id = o.id AND b.status <> 'valid') FROM order_authorization AS oa "
         "JOIN ca_order AS o ON o.id = oa.order_id "
         "WHERE oa.authorization_id = ?1 AND o.status IN ('pending', 'ready') "
         "ORDER BY oa.order_id DESC LIMIT 1000"},

    [ACME_SQL_CHALLENGE_ADD] = {"acme.challenge-add",
                                "INSERT INTO challenge (authorization_id, idx, type, status, token) "
                                "VALUES (?1, ?2, ?3, 'pending', ?4)"},
    [ACME_SQL_CHALLENGE_START] = {"acme.challenge-start",
                                  "UPDATE challenge SET status = ?4, nonce = ?5, started_us = ?6, host = ?7 "
                                  "WHERE authorization_id = ?1 AND idx = ?2 AND status = ?3"},
    [ACME_SQL_CHALLENGE_END] = {"acme.challenge-end",
                                "UPDATE challenge SET status = ?3, validated_us = ?4, error = ?5, "
                                "nonce = NULL WHERE authorization_id = ?1 AND idx = ?2 AND "
                                "status = 'processing'"},
    [ACME_SQL_CHALLENGE_WAITING] =
        {"acme.challenge-waiting",
         "SELECT c.nonce, c.token, c.type, a.identifier_type, a.identifier, a.account, a.status, a.wildcard, "
         "a.expires_us, a.subdomains, c.started_us FROM challenge AS c JOIN authorization AS a ON a.id = "
         "c.authorization_id "
         "WHERE c.authorization_id = ?1 AND c.idx = ?2 AND c.status = 'processing'"},
    [ACME_SQL_CHALLENGE_RUNNING] =
        {"acme.challenge-running",
         "SELECT authorization_id, idx FROM challenge WHERE status = 'processing' AND started_us < ?1 "
         "AND (host = ?3 OR ?3 = 0) ORDER BY started_us LIMIT ?2"},

    [ACME_SQL_DIMENSION] = {"acme.dimension",
                            "SELECT id FROM dimension WHERE method = ?1 AND rule_set = ?2 AND build = ?3 AND "
                            "resolver = ?4 AND perspectives = ?5"},
    [ACME_SQL_DIMENSION_ADD] = {"acme.dimension-add",
                                "INSERT INTO dimension (id, method, rule_set, build, resolver, perspectives) "
                                "VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING"},
    [ACME_SQL_EVIDENCE_ADD] = {"acme.evidence-add",
                               "INSERT INTO evidence (authorization_id, checked_us, dimension, ok, "
                               "identifier_type, identifier, dnssec, agreeing, dissenting, statement, caa, "
                               "caa_us, segment, position, length, sha256) VALUES (?1, ?2, ?3, ?4, ?5, ?6, "
                               "?7, ?8, ?9, '', ?10, ?11, ?12, ?13, ?14, ?15)"},
    [ACME_SQL_EVIDENCE_AT] = {"acme.evidence-at", "SELECT 1 FROM evidence WHERE authorization_id = ?1 AND "
                                                  "checked_us = ?2"},

    [ACME_SQL_CERTIFICATE] = {"acme.certificate",
                              "SELECT account, sha256, spki_sha256, not_after_us FROM certificate "
                              "WHERE issuer = ?1 AND serial = ?2 AND copy = 0"},
    [ACME_SQL_CERTIFICATE_NAME] = {"acme.certificate-name",
                                   "SELECT 1 FROM certificate_name WHERE name = ?1 AND type = ?2 AND "
                                   "issuer = ?3 AND serial = ?4 AND copy = 0"},
    [ACME_SQL_ORDER_REPLACING] =
        {"acme.order-replacing",
         "SELECT id FROM ca_order WHERE replaces = ?1 AND status <> 'invalid' LIMIT 1"},
    [ACME_SQL_ORDER_REPLACES] = {"acme.order-replaces",
                                 "SELECT replaces FROM ca_order WHERE id = ?1 AND replaces IS NOT NULL"},
    [ACME_SQL_CERTIFICATE_DER] = {"acme.certificate-der",
                                  "SELECT der FROM certificate_der WHERE issuer = ?1 AND serial = ?2 AND "
                                  "copy = 0"},
    [ACME_SQL_CERTIFICATE_NAMES] = {"acme.certificate-names",
                                    "SELECT name, type FROM certificate_name WHERE issuer = ?1 AND "
                                    "serial = ?2 AND copy = 0 LIMIT 1000"},
    [ACME_SQL_ISSUER] = {"acme.issuer", "SELECT parent FROM issuer WHERE id = ?1"},
    [ACME_SQL_INTENT_END] = {"acme.intent-end", "SELECT i.issuer, i.serial, e.outcome, e.detail "
                                                "FROM intent AS i JOIN intent_end AS e ON e.intent = i.id "
                                                "WHERE i.id = ?1"},

    [ACME_SQL_DUE] = {"acme.due", "SELECT id, what, subject FROM due WHERE due_us <= ?1 AND "
                                  "what IN ('acme.leftovers', 'acme.cancel', 'acme.alone', 'acme.enrolment') "
                                  "ORDER BY due_us LIMIT ?2"},
    [ACME_SQL_DUE_ADD] = {"acme.due-add",
                          "INSERT INTO due (id, due_us, what, subject) VALUES (?1, ?2, ?3, ?4)"},
    [ACME_SQL_DUE_DROP] = {"acme.due-drop", "DELETE FROM due WHERE id = ?1"},

    [ACME_SQL_WAIT] =
        {"acme.wait",
         "SELECT subject_key, review, rule, until_us, since_us FROM order_wait WHERE order_id = ?1"},
    [ACME_SQL_WAIT_ADD] = {"acme.wait-add",
                           "INSERT INTO order_wait (order_id, subject_key, since_us, until_us, review, rule) "
                           "VALUES (?1, ?2, ?3, ?4, ?5, ?6)"},
    [ACME_SQL_WAIT_DROP] = {"acme.wait-drop", "DELETE FROM order_wait WHERE order_id = ?1"},
    [ACME_SQL_WAIT_UNTIL] = {"acme.wait-until", "UPDATE order_wait SET review = ?2, until_us = ?3 "
                                                "WHERE order_id = ?1"},
    [ACME_SQL_WAIT_DUE] = {"acme.wait-due", "SELECT order_id FROM order_wait WHERE until_us <= ?1 "
                                            "ORDER BY until_us LIMIT ?2"},
    [ACME_SQL_WAIT_RELEASED] = {"acme.wait-released",
                                "SELECT order_id FROM order_wait WHERE review = 'released' "
                                "AND order_id > ?1 ORDER BY order_id LIMIT ?2"},
    [ACME_SQL_WAIT_HOLD] = {"acme.wait-hold",
                            "UPDATE order_wait SET review = 'held' WHERE order_id = ?1 AND review = ''"},
    [ACME_SQL_WAIT_HELD] = {"acme.wait-held", "SELECT order_id FROM order_wait WHERE review = 'held' "
                                              "AND order_id > ?1 ORDER BY order_id LIMIT ?2"},
    [ACME_SQL_ORDER_PLANNED] = {"acme.order-planned", "UPDATE ca_order SET intent = ?2 WHERE id = ?1 AND "
                                                      "status = 'processing' AND intent IS NULL"},

    [ACME_SQL_CAA_ASK] =
        {"acme.caa-ask",
         "INSERT INTO caa_check (order_id, name, authorization_id, proven_by, nonce, status, asked_us, host) "
         "VALUES (?1, ?2, ?3, ?4, ?5, 'asked', ?6, ?7) ON CONFLICT (order_id, name) DO UPDATE SET "
         "authorization_id = ?3, proven_by = ?4, nonce = ?5, status = 'asked', asked_us = ?6, host = ?7, "
         "checked_us = NULL, statement = NULL"},
    [ACME_SQL_CAA_WAITING] =
        {"acme.caa-waiting",
         "SELECT k.order_id, k.name, k.proven_by, k.asked_us, a.account FROM caa_check AS k "
         "JOIN authorization AS a ON a.id = k.authorization_id "
         "WHERE k.authorization_id = ?1 AND k.status = 'asked' AND k.nonce = ?2"},
    [ACME_SQL_CAA_END] = {"acme.caa-end",
                          "UPDATE caa_check SET status = ?3, checked_us = ?4, "
                          "statement = ?5 WHERE order_id = ?1 AND name = ?2 AND status = 'asked'"},
    [ACME_SQL_CAA_RUNNING] =
        {"acme.caa-running",
         "SELECT k.order_id, k.name, k.authorization_id, k.proven_by, a.account FROM caa_check AS k "
         "JOIN authorization AS a ON a.id = k.authorization_id "
         "WHERE k.status = 'asked' AND k.asked_us < ?1 AND (k.host = ?3 OR ?3 = 0) "
         "ORDER BY k.asked_us LIMIT ?2"},
    [ACME_SQL_CAA_OF_ORDER] = {"acme.caa-of-order", "SELECT name, status, checked_us, authorization_id "
                                                    "FROM caa_check WHERE order_id = ?1"},
    [ACME_SQL_CAA_CLOSE] = {"acme.caa-close", "UPDATE caa_check SET status = 'failed' WHERE order_id = ?1 "
                                              "AND status = 'asked'"},
    [ACME_SQL_AUTHORIZATION_VIEWS] =
        {"acme.authorization-views",
         "SELECT a.validated_us, d.perspectives, e.agreeing FROM authorization AS a "
         "JOIN evidence AS e ON e.authorization_id = a.id AND e.checked_us = a.validated_us "
         "JOIN dimension AS d ON d.id = e.dimension WHERE a.id = ?1"},

    [ACME_SQL_PAUSE] = {"acme.pause", "SELECT failures, last_us, paused_us FROM name_pause WHERE "
                                      "account = ?1 AND identifier_type = ?2 AND identifier = ?3"},
    [ACME_SQL_PAUSE_PUT] =
        {"acme.pause-put", "INSERT INTO name_pause (account, identifier_type, identifier, failures, last_us, "
                           "paused_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (account, "
                           "identifier_type, identifier) DO UPDATE SET failures = ?4, last_us = ?5, "
                           "paused_us = coalesce(name_pause.paused_us, ?6)"},
    [ACME_SQL_PAUSE_DROP] = {"acme.pause-drop", "DELETE FROM name_pause WHERE account = ?1 AND "
                                                "identifier_type = ?2 AND identifier = ?3"},
    [ACME_SQL_PAUSE_NAMES] = {"acme.pause-names",
                              "SELECT identifier_type, identifier FROM name_pause WHERE account = ?1 AND "
                              "paused_us IS NOT NULL ORDER BY identifier LIMIT ?2"},
    [ACME_SQL_PAUSE_TOKEN] = {"acme.pause-token", "SELECT token FROM account_pause WHERE account = ?1"},
    [ACME_SQL_PAUSE_TOKEN_ADD] = {"acme.pause-token-add",
                                  "INSERT INTO account_pause (account, token, since_us) VALUES (?1, ?2, ?3)"},
    [ACME_SQL_PAUSE_TOKEN_DROP] = {"acme.pause-token-drop", "DELETE FROM account_pause WHERE account = ?1"},
    [ACME_SQL_PAUSE_BY_TOKEN] = {"acme.pause-by-token", "SELECT account FROM account_pause WHERE token = ?1"},
};

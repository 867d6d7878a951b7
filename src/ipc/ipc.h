#ifndef IPC_IPC_H
#define IPC_IPC_H
/* Messages between the programs of the family: who there is, what can be said, who may say it to whom, and a
 * link.
 *
 * A link is one end of a SOCK_SEQPACKET socketpair. A message is a 16-byte header and a protobuf body
 * (proto/ipc); a body over 64 KiB crosses as a sealed memfd, unseen by handlers. Decoding goes into an arena
 * with a cap. What the table does not allow, or what does not decode, is never resynchronised: the link is
 * dead and the supervisor is told.
 */
#include <protobuf-c/protobuf-c.h>

#include "base/arena.h"
#include "base/slice.h"

enum ipc_role {
    IPC_NOBODY,
    IPC_SUPERVISOR,
    IPC_GATEWAY,
    IPC_NOTARY,
    IPC_REGISTRAR,
    IPC_READER,
    IPC_PUBLISHER,
    IPC_EXAMINER,
    IPC_SIGNER,
    IPC_TOKEN,
    IPC_VALIDATOR,
    IPC_OPINION,
    IPC_COURIER,
    IPC_OCSP_SIGNER,
    IPC_MAILROOM,
    IPC_ROLE_COUNT,
};

/* Wire numbers; never reused. */
enum ipc_type {
    IPC_NONE = 0,
    IPC_START = 1,
    IPC_LINK = 2,
    IPC_READY = 3,
    IPC_RELOAD = 4,
    IPC_DRAIN = 5,
    IPC_DRAINED = 6,
    IPC_MISBEHAVED = 7,
    IPC_FAMILY_EVENT = 8,
    IPC_HOLD = 9,
    IPC_HTTP_REQUEST = 20,
    IPC_HTTP_RESPONSE = 21,
    IPC_SERVICE_CERTIFICATE_REQUEST = 22,
    IPC_SERVICE_CERTIFICATE = 23,
    IPC_KEY_LOOKUP = 30,
    IPC_KEY_ANSWER = 31,
    IPC_NONCE_REQUEST = 32,
    IPC_NONCE_GRANT = 33,
    IPC_ACME_CALL = 34,
    IPC_ACME_REPLY = 35,
    IPC_OPERATOR_CALL = 36,
    IPC_OPERATOR_REPLY = 37,
    IPC_PAGE_CALL = 38,
    IPC_PAGE_REPLY = 39,
    IPC_QUERY = 40,
    IPC_QUERY_REPLY = 41,
    IPC_SIGN_REQUEST = 50,
    IPC_SIGN_REPLY = 51,
    IPC_SIGN_ORDER = 52,
    IPC_SIGN_RESULT = 53,
    IPC_JOURNAL_REPLAY = 54,
    IPC_JOURNAL_ACK = 55,
    IPC_REVOCATION_RECORD = 56,
    IPC_REVOCATION_RECORDED = 57,
    IPC_KNOT = 58,
    IPC_KNOT_SIGNED = 59,
    IPC_HALT_LIST = 60,
    IPC_HALT_LIFT = 61,
    IPC_KEY_BLOCK = 62,
    IPC_KEY_UNBLOCK = 63,
    IPC_LINT_EXCEPTION = 64,
    IPC_EXAMINER_VERDICT = 65,
    IPC_PLAN_CHECK = 66,
    IPC_REFUSED = 67,
    IPC_OPINION_REQUEST = 68,
    IPC_OPINION_GIVEN = 69,
    IPC_RULES = 84,
    IPC_TOKEN_SIGN = 70,
    IPC_TOKEN_SIGNED = 71,
    IPC_TOKEN_KEYS = 72,
    IPC_VALIDATE = 80,
    IPC_VALIDATED = 81,
    IPC_CORROBORATE = 82,
    IPC_CORROBORATED = 83,
    IPC_MAIL_SEND = 86,
    IPC_MAIL_SENT = 87,
    IPC_HOOK_SEND = 88,
    IPC_HOOK_SENT = 89,
    IPC_PUBLISH_HINT = 90,
    IPC_CRL_SIGN_REQUEST = 91,
    IPC_CRL_SIGN_REPLY = 92,
    IPC_CRL_STORE = 93,
    IPC_CRL_STORED = 94,
    IPC_CRL_PUBLISHED = 95,
    IPC_CRL_FETCH = 96,
    IPC_CRL_FETCHED = 97,
    IPC_LIST_PUBLISHED = 98,
    IPC_MEMBERS_WANTED = 100,
    IPC_MEMBERS = 101,
    IPC_RENEWAL_POLLS = 105,
    IPC_RAW_WANTED = 106,
    IPC_MAILROOM_TAKE = 107,
    IPC_MAILROOM_READ = 108,
    IPC_OCSP_SIGN = 110,
    IPC_OCSP_SIGNED = 111,
    IPC_OCSP_UNKNOWN = 112,
    IPC_OCSP_UNKNOWN_SIGNED = 113,
    IPC_RESPONDER_REQUEST = 114,
    IPC_RESPONDER_CERTIFICATE = 115,
    IPC_OCSP_ANSWERED = 116,
    IPC_ENDPOINTS_WANTED = 120,
    IPC_ENDPOINTS = 121,
    IPC_USAGE_LOOK = 122,
    IPC_USAGE_STOP = 123,
    IPC_USAGE_SEEN = 124,
    IPC_PASSKEY_ADD = 125,
    IPC_TYPE_LIMIT = 128, /* no number reaches it */
};

struct ipc_type_info {
    enum ipc_type type;
    const char *name;
    const ProtobufCMessageDescriptor *body;
    size_t max_bytes; /* of the encoded body, memfd or not */
    size_t max_fds;   /* that may travel with it, the memfd not counted */
};

/* "from may send type to to". The whole policy of the family: ipc/table.c. */
struct ipc_edge {
    enum ipc_role from;
    enum ipc_role to;
    enum ipc_type type;
};

extern const struct ipc_edge ipc_edges[];
extern const size_t ipc_edge_count;

/* NULL for a number that is no type. */
const struct ipc_type_info *ipc_type_info(enum ipc_type type);
/* "gateway"; "nobody" for a number that is no role. Static storage. */
const char *ipc_role_name(enum ipc_role role);
/* IPC_NOBODY for an unknown word. */
enum ipc_role ipc_role_by_name(lt_slice name);
bool ipc_may_send(enum ipc_role from, enum ipc_role to, enum ipc_type type);
/* Do the two talk at all? Then the supervisor makes a link between them. */
bool ipc_neighbours(enum ipc_role a, enum ipc_role b);

/* Where a message came from, and so where its answer goes: may be kept across turns. id correlates question
 * and answer; the asker draws it, the answerer repeats it. A link that has died since swallows the answer. */
struct ipc_addr {
    enum ipc_role role;
    uint32_t instance;
    uint64_t id;
    uint32_t epoch; /* which link to it, counted: a successor gets no answers to its predecessor. 0: any */
};

/* Instances of one role are numbered from 0; Start carries a listener or a board for each process. */
enum { IPC_MAX_FDS = 96, IPC_MAX_INSTANCES = 16 };

struct ipc_msg {
    struct ipc_addr from;
    enum ipc_type type;
    const ProtobufCMessage *body; /* decoded, in the receiver's arena: valid during the handler */
    int fds[IPC_MAX_FDS]; /* owned by the message: take with LT_TAKE(m->fds[i], -1); the rest is closed */
    size_t fd_count;
};

struct ipc_link; /* one end; owned by whoever made it */

/* fd: a connected SOCK_SEQPACKET socket, becomes non-blocking and owned. self/peer: for the table. */
LT_MUST_USE lt_res ipc_link_new(int fd, enum ipc_role self, enum ipc_role peer, uint32_t peer_instance,
                                struct ipc_link **ret_link);
void ipc_link_free(struct ipc_link *link);
int ipc_link_fd(const struct ipc_link *link);
enum ipc_role ipc_link_peer(const struct ipc_link *link);
uint32_t ipc_link_peer_instance(const struct ipc_link *link);
/* Queues and tries to send at once; what the socket does not take waits for ipc_link_flush. LT_STATE_CLOSED
 * when the peer is gone, LT_RETRY_BUSY when 8 MiB wait already. fds are duplicated, the caller keeps its own.
 */
LT_MUST_USE lt_res ipc_link_send(struct ipc_link *link, enum ipc_type type, uint64_t id,
                                 const ProtobufCMessage *body, const int *fds, size_t fd_count);
/* The same with a body that is already encoded (deferred effects). */
LT_MUST_USE lt_res ipc_link_send_packed(struct ipc_link *link, enum ipc_type type, uint64_t id,
                                        lt_slice packed, const int *fds, size_t fd_count);
bool ipc_link_wants_write(const struct ipc_link *link);
LT_MUST_USE lt_res ipc_link_flush(struct ipc_link *link);
/* The next message: LT_RETRY_AGAIN when there is none, LT_STATE_CLOSED at the peer's end, LT_PEER_* when it
 * broke the rules (the link must then be freed and the supervisor told), LT_STATE_IO when a message is lost
 * because this process has no descriptor or memory for it. The body lives in arena. */
LT_MUST_USE lt_res ipc_link_recv(struct ipc_link *link, struct lt_arena *arena, struct ipc_msg *ret_msg);
/* A body by itself, as it is signed or kept: into the arena, within the type's limit; fields that the message
 * does not have are refused. */
LT_MUST_USE lt_res ipc_unpack(enum ipc_type type, lt_slice packed, struct lt_arena *arena,
                              const ProtobufCMessage **ret_body);
/* The other way; lives in the arena. */
LT_MUST_USE lt_res ipc_pack(const ProtobufCMessage *body, struct lt_arena *arena, lt_slice *ret_packed);
/* Bytes that travel beside a message, for who passes on what is large without copying it: in a memfd that is
 * sealed against everything, mapped to read. Unmap with munmap. */
LT_MUST_USE lt_res ipc_sealed_new(lt_slice bytes, int *ret_fd);
/* LT_PEER_MALFORMED: it could still change, is empty, or larger than max. */
LT_MUST_USE lt_res ipc_sealed_map(int fd, size_t max, lt_slice *ret_bytes);
/* Closes the descriptors that nobody took. */
void ipc_msg_done(struct ipc_msg *m);

#endif

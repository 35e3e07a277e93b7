/*
 * umpin.h - telephone PINs of voice mailboxes: reset, sign in, look up, import.
 *
 * Generated from the library's source; do not edit. A C program needs only this comment and those of the functions. The
 * header compiles as C11 and as C++.
 *
 *
 * THE SHAPE OF A PROGRAM
 *
 *   1. Compare umpin_abi_version() with UMPIN_ABI_VERSION: a different number means an incompatible library.
 *   2. umpin_session_open() reads the configuration. Keep the session as long as it is needed.
 *   3. One reset:  umpin_plan_new() -> umpin_plan_target() (which mailbox?) -> umpin_plan_commit() -> umpin_plan_free().
 *      Many resets: create plans and submit each, once its target is known, to a batch, which carries out several at once
 *      and returns the outcomes in the order of submission.
 *      A telephone system: umpin_signin() or umpin_change_pin() -> umpin_request_wait() -> umpin_signin_result() ->
 *      umpin_request_free(). examples/ivr.c is a complete program; docs/telephone-systems.md has the rules.
 *      Anything else: umpin_request_new() -> umpin_request_wait() -> umpin_request_free().
 *   4. umpin_session_free().
 *
 * Requests and answers are JSON. A PIN is never part of the JSON: it is passed beside it, in a byte buffer of its own.
 *
 *
 * STATUS
 *
 * Every function that can fail returns an umpin_status_t. Four values are not failures: UMPIN_OK, UMPIN_PENDING (not
 * finished within the timeout: call again), UMPIN_BATCH_EMPTY (nothing left to collect) and UMPIN_CANCELLED (see
 * STOPPING). All others are failures: 1xx an invalid call, 2xx the mailbox or a parameter, 3xx the PIN, 4xx the
 * directory, 5xx configuration, key or store, 6xx the notification, 9xx a defect of the library. Numbers are never reused;
 * treat an unknown one as a failure.
 *
 * Results are written through pointers only if the status is UMPIN_OK (except that umpin_batch_collect() also returns the
 * index of a reset that failed or was cancelled), and the error object only on failure. Otherwise the variables are unchanged:
 * set them to NULL first. The last parameter, umpin_error **error, may be NULL if the status is enough. An error object
 * has the status, the id that PowerShell shows for it (one for each status from 201 to 602; the statuses 1xx and 901 share
 * NativeFault, so distinguish those by their number), a sentence about what happened and one with the recommended action,
 * separately and as one JSON object. Ids and numbers are stable across versions:
 *
 *   {"v":1,"status":301,"id":"PinPolicyViolation","message":"...","recommendedAction":"...",
 *    "details":{"rules":["TooShort","Sequential"]},"diagnostics":["..."],
 *    "warnings":[{"id":"FailureNotRecorded","message":"..."}]?}
 *
 * details: for UMPIN_PIN_POLICY_VIOLATION every broken rule (TooShort, TooLong, NotNumeric, Sequential, Repeated,
 * Extension, History); for UMPIN_MANAGEMENT_OBJECT_AMBIGUOUS "count" and up to ten "matches"; for UMPIN_IMPORT_INVALID
 * "count" and up to twenty "problems" of "line" and "message"; for UMPIN_AUDIT_CHAIN_BROKEN "host", "seq", "line" and "kind";
 * for UMPIN_MANAGEMENT_OBJECT_IN_USE "count". warnings: further faults. FailureNotRecorded: this failure could not be
 * recorded in the audit log, with the reason.
 *
 *
 * OWNERSHIP
 *
 * Every _new and _open has a matching _free; free buffers and errors that the library returns with umpin_buffer_free()
 * and umpin_error_free(). Freeing NULL does nothing. Freeing an object twice, or using it after freeing it, is undefined.
 * The bytes that a getter points at belong to the object and are valid until it is freed. They are not zero-terminated.
 * The library copies the caller's input before the call returns.
 * Plans, requests and batches may be freed before or after their session: each keeps what it needs alive.
 * Freeing a plan, request or batch that has not finished cancels it. Freeing a session cancels nothing.
 *
 *
 * STOPPING
 *
 * Every operation has one commit point. If it is stopped before that point, by umpin_plan_cancel(), umpin_request_cancel(),
 * umpin_batch_cancel() or by freeing it, the status is UMPIN_CANCELLED: nothing was changed, no message is sent, and the
 * audit log has no change. After that point it finishes, and the outcome is the same as without cancelling. A cancel
 * function only requests it: it does not wait and does not return which of the two will happen. Continue with
 * umpin_plan_commit(), umpin_request_wait() or umpin_batch_collect() until they return an outcome; before the commit point they do
 * so at once, whatever the library waits for. The commit points:
 *   reset        before the store's transaction is committed, or before the LDAP Modify is sent. With Active Directory
 *                this computer's log may already have the intent; then it also gets an outcome with the error Cancelled.
 *   batch        that of each reset. Resets that have not begun are cancelled; of the others at most `parallelism` finish.
 *   clearPin     as for a reset.
 *   import       before its one final transaction: however large the file, all of it is imported or nothing.
 *   removeMailbox   before the store's transaction is committed.
 *   sendNotifications   before the first message is sent. Later, the current message is finished (in the background if the
 *                relay takes longer than five seconds), and the answer lists those that were tried; "next" says that there
 *                may be more.
 *   updateKey    in the first step, before the new key is created or becomes active; in the other steps, before the first mailbox is
 *                resealed. Earlier steps remain in effect.
 *   auditExport  before the complete file gets its name.
 *   look-ups     none; a cancelled look-up has no result.
 *   umpin_signin() and umpin_change_pin()   the call itself: an attempt that has begun is carried out and counted, so that
 *                stopping never gives a free guess.
 * The same holds when the process ends: operations before their commit point are rolled back, by the store when it is opened
 * next. With Active Directory the next session on this computer determines the outcome of a change that was sent, and
 * completes the audit log and the outbox.
 *
 *
 * TEXT, NULL AND ZERO LENGTH
 *
 * Text is a pointer and a length in bytes: UTF-8, without a zero byte. If the length is 0 the pointer is
 * ignored and may be NULL. Every other pointer except `error` (and `pin` where a function says so) must not be NULL; the
 * status is otherwise UMPIN_NULL_ARGUMENT. If two results of one call have the same address, the status is
 * UMPIN_INVALID_ARGUMENT, and nothing is done.
 *
 *
 * PINS AND WIPING
 *
 * The library overwrites its copies of a PIN, and every buffer, before it releases the memory. The caller wipes the caller's
 * own copy. No error, diagnostic or answer ever contains a PIN.
 *
 *
 * THREADS, TIME AND PROCESSES
 *
 * Any number of threads may use a session at once. A plan, request, batch, buffer or error may move between
 * threads, and the library serialises calls on it; only _free must not run at the same time as another call on the
 * same object.
 * No call waits longer than its timeout_ms; calls without one do not wait. With 0 a call only polls.
 * After a process has called umpin_session_open(), its forked children and their descendants cannot use the library
 * until they call exec(): threads do not survive a fork, and locks that they held are never released.
 * Every call that would open or use anything, umpin_session_open() included, returns UMPIN_FORKED; _free releases nothing.
 * umpin_session_open() starts one thread of each kind that the session needs, and fails if it cannot. Later the library starts
 * more as needed; if the system cannot provide one, the work waits for the existing threads. A thread ends after
 * five seconds without work. Deriving a PIN takes 19 MiB: resets use this for each processor
 * (at most 16), sign-ins as much again and at least twice, however many are in progress, and release it after five seconds without use.
 * A thread that calls the library needs 128 KiB of stack (umpin_session_open(): 512 KiB); the work runs on the library's own
 * threads.
 * The library reads neither environment variables nor the current directory: pass absolute paths. (System functions that it calls
 * may: SSL_CERT_FILE and SSL_CERT_DIR are among the places of trusted authorities.) It remains loaded until the process
 * ends, also after dlclose().
 *
 *
 * PANICS
 *
 * A defect inside the library does not unwind into the caller: the call returns UMPIN_PANIC, and every later call on that
 * session and on objects made from it returns UMPIN_POISONED. Freeing still works. Nothing is printed.
 *
 *
 * JSON
 *
 * Every message has "v":1. Unknown fields in a request are refused (UMPIN_INVALID_REQUEST); ignore unknown fields in an
 * answer, because later versions add some. `?` marks optional fields. Times are milliseconds since 1970-01-01 UTC.
 *
 * umpin_session_open:
 *   {"v":1, "configFile":"/etc/umpin/umpin.json"?, "dataDirectory":"/home/admin/.local/share/umpin",
 *    "caller":"CONTOSO\\admin"?, "runAs":"CONTOSO\\svc-um"?, "application":"myprogram/1.0"?,
 *    "otherStores":["/var/lib/umpin/directory.db"]?, "variables":{"UMPIN_RELAY_PASSWORD":"..."}?}
 *   With a configuration file, its relative paths are relative to it. Without one, the store is directory.db, the key
 *   umpin.key and the messages pickup/ in the data directory. caller and application go into the audit log, and so does
 *   runAs: the account that runs the work, if it is not the caller's. otherStores: the paths of stores that may be in use
 *   instead. If the store of the configuration file is missing, the error names the first of them that exists (directory.db in
 *   the data directory is one of them) and does not recommend creating another. variables: the environment variables that the
 *   configuration may name as the source of a password; their names begin with UMPIN_. The one that is needed is
 *   kept, the others are wiped.
 *
 * umpin_plan_new:
 *   {"v":1, "identity":"tonysmith@contoso.com", "alternatives":["..."]?, "cmdlet":"..."?, "pinExpired":true?,
 *    "lockedOut":false?, "notifyEmail":"..."?, "sendEmail":true?, "domainController":"..."?, "ignoreDefaultScope":false?,
 *    "keepPin":false?, "whatIf":false?, "confirm":true|false?}
 *   identity: GUID, distinguished name, canonical name (contoso.com/Sales/Tony Smith), DOMAIN\account, user principal
 *   name, any e-mail address of the mailbox, legacyExchangeDN, alias, account name or name.
 *   alternatives: further identities of the same mailbox, for objects of other systems whose GUID may be unknown here.
 *   They are tried in order if the preceding ones find nothing, and the first that names exactly one mailbox decides. One
 *   that names several narrows the choice: a later one must name one of these, else the status is
 *   UMPIN_MANAGEMENT_OBJECT_AMBIGUOUS. One that names a mailbox outside the scope ends the search. With ignoreDefaultScope
 *   only those that are distinguished names are tried. Every request with an identity may have alternatives.
 *   pinExpired: whether the user must change the PIN at the next sign-in; default true. lockedOut: default false, which unlocks.
 *   With keepPin, the default of pinExpired is the current value.
 *   notifyEmail: send to this address instead of the mailbox's own. keepPin: only lock or unlock, issue no PIN.
 *   whatIf: resolve and validate without opening anything for writing; such a plan cannot be committed.
 *   A plan without whatIf that fails, at look-up, validation or commit, is recorded once in the audit log as a failed operation;
 *   one that is cancelled or freed before it fails is not.
 *   confirm: whether a user confirms the target between umpin_plan_target and the commit; default: true if
 *   umpin_plan_target has returned it. The commit reads mailbox, policy and recipient again (in the embedded directory in the
 *   transaction of the change; with Active Directory if confirm is true, or from five seconds after the look-up on) and
 *   decides again: if the new state forbids the reset, the error is the usual one; a PIN is generated by the new policy; and if
 *   confirm is true and the identity of the mailbox or the recipient has changed, the error is UMPIN_TARGET_CHANGED.
 *
 * umpin_plan_target answers:
 *   {"v":1, "identity":"contoso.com/Sales/Tony Smith", "guid":"...", "distinguishedName":"...", "displayName":"...",
 *    "primarySmtpAddress":"..."|null, "recipient":"..."|null, "generatesPin":true, "keepsPin":false, "pinExpired":true,
 *    "lockedOut":false, "warnings":[{"id":"...","message":"..."}], "diagnostics":["..."]}
 *
 * umpin_plan_commit and umpin_batch_collect answer:
 *   {"v":1, "identity":"...", "guid":"...", "distinguishedName":"...", "displayName":"...", "primarySmtpAddress":"..."|null,
 *    "pinExpired":true, "lockedOut":false, "pinGenerated":true, "notification":"sent"|"queued"|"failed"|"none",
 *    "recipient":"..."|null, "warnings":[{"id":"...","message":"...","recommendedAction":"..."}], "diagnostics":["..."]}
 *   UMPIN_OK means that the PIN is changed and durable. Later faults are in warnings. NotificationFailed and
 *   NotificationQueued: the message was not delivered (a reset waits for a slow relay at most about
 *   five seconds). In both cases it stays queued in the outbox, and later resets and sendNotifications try it
 *   again until it expires, unless the PIN has been replaced by then; failed means a permanent refusal, for example
 *   by a relay with a code 5xx. NotificationExpired names mailboxes whose earlier messages expired.
 *   RetentionPaused: old audit entries are kept for now, because the clock advanced by more than 30 days between
 *   two entries; reported once in a session.
 *   OutcomeNotRecorded: the change was made, but this computer could not record that yet. ResetLost names an earlier PIN
 *   set by this computer that a change on another domain controller has replaced.
 *
 * umpin_signin and umpin_change_pin:
 *   {"v":1, "identity":"...", "alternatives":["..."]?} or {"v":1, "extension":"4271", "dialPlan":"Seattle.contoso.com"?},
 *   and with either "cmdlet":"..."?, "deliver":false?, "ignoreDefaultScope":false?, "domainController":"..."?
 *   extension: digits; separators between them are ignored. Without dialPlan, one that two mailboxes have is
 *   UMPIN_MANAGEMENT_OBJECT_AMBIGUOUS. cmdlet: the name of this operation in the audit log. deliver: after a reset by failures,
 *   deliver the message before the answer, which then waits for the relay; for programs that end after it, not for
 *   telephone calls. Otherwise the message is delivered two seconds after the answer, or, if the process ends before that, with
 *   the next change from the outbox.
 *   The answer, from umpin_request_wait (umpin_signin_result returns the three important fields as numbers):
 *   {"v":1, "outcome":"accepted"|"changeRequired"|"rejected"|"locked"|"resetByFailures", "attemptsUntilReset":4|null,
 *    "attemptsUntilLock":14|null, "firstTimeUser":false, "pinExpiresOn":1767225600000|null,
 *    "notification":"none"|"sent"|"queued"|"failed", "identity":"...", "guid":"...", "distinguishedName":"...",
 *    "displayName":"...", "primarySmtpAddress":"..."|null, "diagnostics":["..."]}
 *   null attempts: the policy has no limit. pinExpiresOn is null unless the PIN was right and will expire.
 *   A wrong PIN is counted, durably, before it is answered, so that guessing on several lines at once has no advantage. After
 *   the policy's LogonFailuresBeforePINReset wrong PINs the PIN is reset and mailed (not if the mailbox has no address to mail to),
 *   after MaxLogonAttempts in all the mailbox is locked until an administrator unlocks it or resets the PIN. The right PIN
 *   resets the count. A locked mailbox refuses also the right PIN. A mailbox that never had a PIN rejects and counts nothing.
 *
 * umpin_request_new, by "operation":
 *   {"v":1, "operation":"status"}
 *     -> {"v":1, "directory":"embedded", "location":"/.../directory.db", "warnings":[{"id":"FolderExposed","message":"...",
 *         "recommendedAction":"..."}]}
 *     Whether the directory can be used; UMPIN_DIRECTORY_UNAVAILABLE if there is no store yet. FolderExposed: other accounts can
 *     write in a folder above the store or the key.
 *     It also begins a command: the policies in Active Directory are read again, otherwise only after five minutes.
 *   {"v":1, "operation":"pinInfo", "identity":"..."?, "pageSize":500?, "after":"cursor"?, "ignoreDefaultScope":false?,
 *    "domainController":"..."?}
 *     -> {"v":1, "items":[{"userId":"tonysmith@contoso.com", "userObjectId":"<guid>", "identity":"...",
 *         "distinguishedName":"...", "primarySmtpAddress":"..."|null, "pinExpired":true, "lockedOut":false,
 *         "firstTimeUser":true, "isValid":true, "lastSet":1767225600000|null, "expiresOn":...|null, "failedAttempts":0,
 *         "lastFailedAttempt":...|null, "lockedSince":...|null}], "next":"cursor"|null,
 *         "warnings":[{"id":"ResetLost","message":"...","recommendedAction":"..."}]}
 *     With an identity exactly one item, or a failure. Without: every enabled mailbox, page by page; pass "next" as
 *     "after" until it is null. A page may have fewer items than pageSize (at most 10000), or none, although another
 *     follows. An item that could not be read is {"identity":"...", "error":{...}} instead.
 *   {"v":1, "operation":"mailboxes", "identity":"..."?, "umEnabledOnly":false?, "pageSize":500?, "after":"cursor"?,
 *    "ignoreDefaultScope":false?, "domainController":"..."?}
 *     -> items of guid, distinguishedName, identity, name, displayName, alias, samAccountName, userPrincipalName,
 *        primarySmtpAddress, emailAddresses, legacyExchangeDN, umEnabled, extensions, umMailboxPolicy; absent ones null
 *   {"v":1, "operation":"policies", "identity":"..."?}
 *     -> items of guid, name, identity, distinguishedName, revision, minPINLength, pinLifetimeDays (null: unlimited),
 *        pinHistoryCount, allowCommonPatterns, logonFailuresBeforePINReset, maxLogonAttempts, resetPINText
 *   {"v":1, "operation":"newPolicy", "name":"...", "settings":{...}?, "cmdlet":"..."?, "whatIf":false?}
 *   {"v":1, "operation":"setPolicy", "identity":"...", "alternatives":["..."]?, "settings":{...}, "revision":"..."?,
 *    "cmdlet":"..."?, "whatIf":false?}
 *   {"v":1, "operation":"removePolicy", "identity":"...", "alternatives":["..."]?, "revision":"..."?, "cmdlet":"..."?,
 *    "whatIf":false?}
 *     -> {"v":1, "before":{...}|null, "after":{...}|null, "changed":true}
 *     Only in the embedded directory; Active Directory policies are changed with its own tools, and the status is
 *     UMPIN_CONFIGURATION_INVALID. identity: name, GUID or distinguished name. settings: any of
 *     "minPINLength":4..24, "pinLifetimeDays":1..999|null, "pinHistoryCount":1..20, "allowCommonPatterns":true|false,
 *     "logonFailuresBeforePINReset":1..998|null (below maxLogonAttempts), "maxLogonAttempts":1..999|null and
 *     "resetPINText":"..." (at most 512 characters); null: unlimited. An omitted setting is unchanged, or has its default in
 *     a new policy; a value out of range is UMPIN_INVALID_POLICY_SETTING. revision: from "policies"; if the policy
 *     was changed since, the status is UMPIN_WRITE_CONFLICT. Without it the given settings are changed in the current
 *     state of the policy. A policy that mailboxes use cannot be removed (UMPIN_MANAGEMENT_OBJECT_IN_USE). before and after are
 *     as in "policies"; changed is false if the policy already had these settings. The audit entry is part of the same
 *     transaction. whatIf checks all of it and writes nothing. A policy applies from the next reset or sign-in on; current
 *     PINs remain valid.
 *   {"v":1, "operation":"notifications", "identity":"..."?, "pageSize":500?, "after":"cursor"?, "ignoreDefaultScope":false?,
 *    "domainController":"..."?}
 *     -> {"v":1, "items":[{"id":"<32 hex digits>", "identity":"..."|null, "guid":"..."|null,
 *         "state":"queued"|"unconfirmed"|"expired", "queuedSince":1767225600000, "attempts":2, "nextAttempt":...|null,
 *         "expiresOn":...|null, "lastError":"..."|null}], "next":"cursor"|null}
 *     The messages that are not delivered yet, and those that expired, oldest first; never recipient or
 *     content. id is the local part of the Message-ID. unconfirmed: whether the PIN was set is not known yet. An
 *     identity of null: the mailbox does not exist any more. Changes nothing and sends nothing.
 *   {"v":1, "operation":"sendNotifications", "identity":"..."?, "due":1767225600000?, "ignoreDefaultScope":false?,
 *    "domainController":"..."?}
 *     -> {"v":1, "items":[{"id":"...", "identity":"..."|null, "guid":"..."|null, "queuedSince":1767225600000, "attempts":3,
 *         "outcome":"sent"|"dropped"|"queued"|"failed"|"expired"|"busy", "reason":"..."|null}], "next":1767225600000|null,
 *         "blocked":false}
 *     With an identity: all messages of that mailbox, whether due or not. Without: those that are due; pass "next" as "due"
 *     until it is null. dropped: its PIN is not the current one. queued and failed (permanently refused) stay queued and are
 *     tried again; expired: not tried any more; busy: another process is sending it. blocked: nothing can be delivered, and
 *     the remaining messages were not tried.
 *   {"v":1, "operation":"checkConfiguration", "identity":"..."?, "alternatives":["..."]?, "notifyEmail":"..."?}
 *     -> {"v":1, "items":[{"check":"key", "result":"passed"|"warning"|"failed"|"skipped", "target":"/.../umpin.key"|null,
 *         "message":"...", "recommendedAction":"..."|null, "errorId":"KeyUnavailable"|null}],
 *         "result":"passed"|"warning"|"failed"}
 *     Checks everything that the other operations need; a fault is an item and not a failure. A fault in the
 *     configuration file itself is the error of umpin_session_open. check is configuration, directory, domainController,
 *     globalCatalog, certificate, account, readRights, writeRights, key, counterAttribute, clock, mailRelay, pickupFolder,
 *     testMessage or files; there is one item for each controller, catalog and file. identity: the mailbox on which
 *     rights and key are tested; default: the first that is found. notifyEmail: sends a test message to this address, at
 *     once, without a PIN. Nothing else is changed. result is that of the worst item.
 *   {"v":1, "operation":"clearPin", "identity":"...", "alternatives":["..."]?, "whatIf":false?, "ignoreDefaultScope":false?,
 *    "domainController":"..."?}
 *     -> {"v":1, "identity":"...", "guid":"...", "distinguishedName":"...", "displayName":"...", "primarySmtpAddress":"..."|null,
 *         "hadRecord":true, "hadCounter":true, "messagesDropped":0,
 *         "warnings":[{"id":"ForeignValueLeft","message":"...","recommendedAction":"..."}], "diagnostics":["..."]}
 *     Removes the record of a mailbox with PIN, history and lock, and the counter of failed sign-ins, also if they are damaged, and
 *     drops its queued messages. The mailbox is then as one that never had a PIN. ForeignValueLeft: a value that Exchange
 *     left in the record's attribute is not a record and is kept.
 *   {"v":1, "operation":"import", "path":"/.../people.csv", "format":"csv"|"ldif"?, "defaultPolicy":"..."?,
 *    "skipInvalid":false?, "whatIf":false?}
 *     -> {"v":1, "mailboxesCreated":2, "mailboxesUpdated":1, "mailboxesUnchanged":0, "policiesCreated":["Default"],
 *         "policiesDefaulted":["Default"], "policiesUpdated":[], "propertiesChanged":{"Extensions":1},
 *         "changes":[{"line":2,"identity":"...","properties":["Extensions"]}], "followed":[{"line":2,"message":"..."}],
 *         "notices":[{"line":2,"message":"..."}], "skipped":[{"line":3,"message":"..."}],
 *         "ignoredColumns":["..."], "location":"/.../directory.db"}
 *     policiesDefaulted: created policies that the file names and does not describe; they have the default settings.
 *     propertiesChanged counts the mailboxes that change in a property, changes names the first thousand of them; followed are
 *     those found under another distinguished name; notices are rows that are imported but should be checked. A property without
 *     a column in the file is kept, an empty cell clears it. A mailbox that the file does not name is kept. All or nothing: a row
 *     that cannot be used fails the whole import unless skipInvalid is true. Creates the store.
 *     Columns, under these names or those of the LDAP attributes in brackets: DistinguishedName (DN), Name (cn), DisplayName, Alias
 *     (mailNickname), SamAccountName, UserPrincipalName, PrimarySmtpAddress (mail), EmailAddresses (proxyAddresses),
 *     LegacyExchangeDN, Guid (objectGUID), UMEnabled (msExchUMEnabledFlags), Extensions, UMMailboxPolicy
 *     (msExchUMTemplateLink), PreferredLanguage. Lists are separated by semicolons; an extension may name its dial plan: 4274@Redmond.
 *   {"v":1, "operation":"removeMailbox", "identity":"...", "alternatives":["..."]?, "whatIf":false?}
 *     -> {"v":1, "identity":"...", "guid":"...", "userPrincipalName":"..."|null, "primarySmtpAddress":"..."|null,
 *         "hadRecord":true, "messagesDropped":0}
 *     Removes a mailbox from the embedded store, with its record and its queued messages, and records it in the audit log.
 *   {"v":1, "operation":"audit", "path":"/.../log.jsonl"?, "pageSize":500?, "after":"cursor"?, "since":0?, "until":0?,
 *    "target":"..."?, "caller":"..."?, "cmdlet":"..."?, "action":"..."?, "outcome":"succeeded"|"failed"?}
 *     -> {"v":1, "items":[{"seq":1, "host":"...", "operationId":"...", "at":0, "kind":"operation"|"intent"|"outcome",
 *         "cmdlet":"...", "action":"...", "caller":"...", "runAs":"...", "application":"...", "target":"...", "targetGuid":"...",
 *         "parameters":{...}, "succeeded":true, "result":..., "details":{...}, "chainState":"intact"|"broken"}],
 *         "faults":[{"status":505, ..., "details":{"host":"...", "seq":1, "kind":"..."}}],
 *         "chains":[{"host":"...", "state":"intact"|"tornTail"|"broken", "entries":1, "removed":0,
 *         "removedUntil":0|null}], "next":"cursor"|null}
 *     A failed operation has "succeeded":false and the error's id as details.error; broken rules are in result. For each account
 *     and hour a hundred are recorded one by one; the action FailuresOmitted counts the rest (result: count, since,
 *     until). Until that entry is written, with the first change after the hour, the last page shows it with a seq of 0.
 *     RetentionPaused: see the warning with that id.
 *     The audit log, oldest first, or an export of it; intent and outcome of an operation are one item (of kind "operation"),
 *     absent fields are null, also succeeded while the outcome is not known. target: an identity, or the target as the log has
 *     it; it may have alternatives. Each page is verified; read to the last page to verify the whole log, whatever the
 *     filters are. faults: for each broken chain its first fault, once, as error objects; kind is changed, missing (before the
 *     entry), truncated (after it), reordered, headMissing, headAltered, unknownKey or malformed. chains: the result for each
 *     host's chain, on the last page; removed counts the entries that retention removed, removedUntil is the time of the newest
 *     of them. A page may have no items although another follows, and the last one some more than pageSize (at most 10000).
 *   {"v":1, "operation":"updateKey", "after":"cursor"?, "newKeyOnly":false?, "resealOnly":false?, "perSecond":50?,
 *    "whatIf":false?, "cmdlet":"..."?}
 *     -> {"v":1, "keyId":"<16 hex digits>"|null, "path":"/.../umpin.key"|null, "made":true, "replaced":[{"keyId":"...",
 *         "path":"...", "removable":false, "configured":false}], "records":0, "counters":0, "messages":0, "total":100|null,
 *         "problems":[{"identity":"...","message":"..."}], "complete":false, "next":"cursor"|null,
 *         "warnings":[{"id":"...","message":"...","recommendedAction":"..."}]}
 *     One step of an update of the key. The first step creates a key, unless an inactive one exists beside the active one (as
 *     "<file>.<key id>") or the configuration names others, and from then on new data are sealed under it. The next steps, with
 *     "next" as "after" until it is null, reseal records, counters of failed sign-ins and messages. A step takes about a second at
 *     most. Other operations may continue to use the store. An update that ended early is continued by the next first
 *     step. The last step gives the key the file name that the configuration calls active, and records the
 *     outcome. complete: everything is sealed under the key; replaced then says which former key files are no longer needed
 *     (removable), and whether the configuration names them. records, counters and messages are totals of all steps, total is the
 *     number of mailboxes with a record if it is known, problems are those found in this step, which a later step may report
 *     again. newKeyOnly creates the key and stops: copy it to the other computers that use the same Active Directory, where the
 *     update requires it. resealOnly creates none. perSecond: at most this many mailboxes a second (1 to 10000); with Active
 *     Directory, where every change is replicated, the default is 50. whatIf returns key, replaced and total, and changes nothing.
 *   {"v":1, "operation":"auditExport", "path":"/.../log.jsonl", "force":false?}
 *     -> {"v":1, "path":"/.../log.jsonl", "entries":1, "faults":[...], "chains":[...]}
 *     Writes the whole log to a new file, readable by its owner only. force replaces an older export, and no other file.
 *
 *
 * A WORKED EXAMPLE: set a PIN that must be changed at the first sign-in, and mail it
 *
 *   #include <stdio.h>
 *   #include <string.h>
 *   #include "umpin.h"
 *
 *   static int failed(umpin_error *error) {
 *       const uint8_t *text = NULL;
 *       size_t length = 0;
 *       if (umpin_error_message(error, &text, &length) == UMPIN_OK)
 *           fprintf(stderr, "%.*s\n", (int)length, (const char *)text);
 *       umpin_error_free(error);
 *       return 1;
 *   }
 *
 *   int main(void) {
 *       const char *open = "{\"v\":1,\"dataDirectory\":\"/var/lib/umpin\"}";
 *       const char *reset = "{\"v\":1,\"identity\":\"tonysmith@contoso.com\"}";
 *       umpin_session *session = NULL;
 *       umpin_plan *plan = NULL;
 *       umpin_buffer *answer = NULL;
 *       umpin_error *error = NULL;
 *       umpin_status_t status;
 *
 *       if (umpin_abi_version() != UMPIN_ABI_VERSION)
 *           return 2;
 *       status = umpin_session_open((const uint8_t *)open, strlen(open), &session, &error);
 *       if (status == UMPIN_OK)
 *           status = umpin_plan_new(session, (const uint8_t *)reset, strlen(reset), (const uint8_t *)"1985848", 7, &plan, &error);
 *       if (status == UMPIN_OK)
 *           do
 *               status = umpin_plan_commit(plan, 200, &answer, NULL, &error);
 *           while (status == UMPIN_PENDING);
 *       umpin_buffer_free(answer);
 *       umpin_plan_free(plan);
 *       umpin_session_free(session);
 *       return status == UMPIN_OK ? 0 : failed(error);
 *   }
 *
 *   cc example.c -lumpin
 */

#ifndef UMPIN_H
#define UMPIN_H

#include <stddef.h>
#include <stdint.h>

/** The version of the library that this header belongs to. */
#define UMPIN_VERSION_MAJOR 0
#define UMPIN_VERSION_MINOR 1
#define UMPIN_VERSION_PATCH 0
#define UMPIN_VERSION_TEXT "0.1.0"

/**
 * No limit: what umpin_signin_result() gives where the policy has none.
 */
#define UMPIN_UNLIMITED UINT32_MAX

/**
 * The number of this interface. It changes when existing programs would no longer work.
 */
#define UMPIN_ABI_VERSION 1

/**
 * Many resets at once, with their outcomes in the order of submission. Internally synchronised.
 */
typedef struct umpin_batch umpin_batch;

/**
 * Bytes owned by the library: a JSON response, or a PIN. Immutable; wiped when freed.
 */
typedef struct umpin_buffer umpin_buffer;

/**
 * Why a call failed: status, id, message, recommended action, details. Immutable; usable from any thread. Never holds a
 * PIN, key or password.
 */
typedef struct umpin_error umpin_error;

/**
 * One reset on its way. Internally synchronised; carried out at most once.
 */
typedef struct umpin_plan umpin_plan;

/**
 * One request under way. Internally synchronised; answered once.
 */
typedef struct umpin_request umpin_request;

/**
 * One configuration in use: directory, keys, notification. Internally synchronised; usable from any thread.
 */
typedef struct umpin_session umpin_session;

/**
 * Success, or why not: one of the `UMPIN_...` numbers. Families by hundred; numbers are never reused; treat an unknown one
 * as a failure.
 */
typedef uint32_t umpin_status_t;

/**
 * What an attempt to sign in came to: one of the `UMPIN_SIGNIN_...` numbers. Take an unknown one for a refusal.
 */
typedef uint32_t umpin_signin_t;

/**
 * The right PIN; from umpin_change_pin(): the new PIN is set.
 */
#define UMPIN_SIGNIN_ACCEPTED 1

/**
 * The right PIN, but it has expired: let nobody in before umpin_change_pin() was accepted.
 */
#define UMPIN_SIGNIN_CHANGE_REQUIRED 2

/**
 * A wrong PIN; it has been counted.
 */
#define UMPIN_SIGNIN_REJECTED 3

/**
 * Locked until an administrator acts. Whether the PIN is the right one is not said.
 */
#define UMPIN_SIGNIN_LOCKED 4

/**
 * A wrong PIN, after which the PIN was reset: a new one is on its way to the user by mail.
 */
#define UMPIN_SIGNIN_RESET_BY_FAILURES 5

/**
 * Done; the out-params are written.
 */
#define UMPIN_OK 0

/**
 * No answer within the time given: call again with the same handle.
 */
#define UMPIN_PENDING 1

/**
 * Nothing is outstanding in the batch.
 */
#define UMPIN_BATCH_EMPTY 2

/**
 * Cancelled before its commit point: nothing was changed. No failure, and no error object is made.
 */
#define UMPIN_CANCELLED 3

/**
 * A required pointer is NULL.
 */
#define UMPIN_NULL_ARGUMENT 101

/**
 * Text is not valid UTF-8.
 */
#define UMPIN_INVALID_UTF8 102

/**
 * The request is not well-formed JSON, or has unknown, missing or impossible fields.
 */
#define UMPIN_INVALID_REQUEST 103

/**
 * The handle has given its answer already.
 */
#define UMPIN_ALREADY_USED 104

/**
 * An earlier call on this session panicked; only freeing is allowed.
 */
#define UMPIN_POISONED 105

/**
 * The library failed internally. The session is poisoned from now on.
 */
#define UMPIN_PANIC 106

/**
 * This process was forked from one that has used the library.
 */
#define UMPIN_FORKED 107

/**
 * A number is outside its documented range.
 */
#define UMPIN_INVALID_ARGUMENT 108

/**
 * The identity is empty or cannot name a mailbox.
 */
#define UMPIN_INVALID_IDENTITY 201

/**
 * No object has this identity.
 */
#define UMPIN_MANAGEMENT_OBJECT_NOT_FOUND 202

/**
 * More than one object has this identity.
 */
#define UMPIN_MANAGEMENT_OBJECT_AMBIGUOUS 203

/**
 * The mailbox has no Unified Messaging.
 */
#define UMPIN_MAILBOX_NOT_UM_ENABLED 204

/**
 * notifyEmail is not one well-formed address.
 */
#define UMPIN_INVALID_NOTIFY_EMAIL 205

/**
 * The message has no recipient.
 */
#define UMPIN_NO_NOTIFICATION_ADDRESS 206

/**
 * Fields that exclude each other.
 */
#define UMPIN_INVALID_PARAMETER_COMBINATION 207

/**
 * The object lies outside the scope that may be written.
 */
#define UMPIN_OUTSIDE_SCOPE 208

/**
 * An object of this name exists already.
 */
#define UMPIN_MANAGEMENT_OBJECT_EXISTS 209

/**
 * Other objects still refer to the object; details.count says how many.
 */
#define UMPIN_MANAGEMENT_OBJECT_IN_USE 210

/**
 * The PIN breaks the policy; details.rules names every broken rule.
 */
#define UMPIN_PIN_POLICY_VIOLATION 301

/**
 * Policy, extensions and history leave no PIN to generate.
 */
#define UMPIN_NO_VALID_PIN 302

/**
 * A setting of a policy is out of its range.
 */
#define UMPIN_INVALID_POLICY_SETTING 303

/**
 * The directory cannot be reached, read or written.
 */
#define UMPIN_DIRECTORY_UNAVAILABLE 401

/**
 * Other writers were faster until the deadline; nothing was changed.
 */
#define UMPIN_WRITE_CONFLICT 402

/**
 * It cannot be known whether the change was made.
 */
#define UMPIN_OUTCOME_UNKNOWN 403

/**
 * The account lacks the rights.
 */
#define UMPIN_ACCESS_DENIED 404

/**
 * Mailbox or recipient are no longer what umpin_plan_target showed; nothing was changed.
 */
#define UMPIN_TARGET_CHANGED 405

/**
 * The configuration cannot be used; the message names file and key.
 */
#define UMPIN_CONFIGURATION_INVALID 501

/**
 * The key is missing, unreadable, exposed or the wrong one.
 */
#define UMPIN_KEY_UNAVAILABLE 502

/**
 * The store or a record in it is damaged.
 */
#define UMPIN_STORE_CORRUPT 503

/**
 * The import file has rows that cannot be used; nothing was changed.
 */
#define UMPIN_IMPORT_INVALID 504

/**
 * The audit log was tampered with; details.host, details.seq and details.kind say where and how.
 */
#define UMPIN_AUDIT_CHAIN_BROKEN 505

/**
 * A file exists already, is missing, or is no audit log.
 */
#define UMPIN_AUDIT_FILE_UNUSABLE 506

/**
 * Others can alter or exchange the store, by its owner or mode or by those of its folder.
 */
#define UMPIN_STORE_EXPOSED 507

/**
 * The PIN was changed and its message could not be delivered. No function returns it: it names a warning and an error id.
 */
#define UMPIN_NOTIFICATION_FAILED 601

/**
 * No message can be delivered as things are configured, so nothing was changed.
 */
#define UMPIN_NOTIFICATION_UNAVAILABLE 602

/**
 * An internal invariant did not hold, or the system has no threads to give.
 */
#define UMPIN_NATIVE_FAULT 901

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Makes an empty batch that carries out up to `parallelism` (1-64) resets at once. Resets of the same mailbox run one after
 * another, in the order of submission.
 *
 * Pointers:
 * `session` is NULL or a session not yet freed; `batch` and `error` are NULL or valid for writing.
 */
umpin_status_t umpin_batch_new(const umpin_session *session,
                               uint32_t parallelism,
                               umpin_batch **batch,
                               umpin_error **error);

/**
 * Hands a plan over. On `UMPIN_OK` it will be carried out unless the batch is cancelled; it is used up, and still the caller's to
 * free. `UMPIN_PENDING`, and nothing was accepted: the plan is still being looked up or validated, or the window is full. Once
 * umpin_plan_target() has answered `UMPIN_OK` it is the window: four times `parallelism` resets may be submitted and not yet
 * collected. Collect one, then submit again.
 * `UMPIN_CANCELLED`: the plan or the batch was cancelled; nothing was accepted.
 *
 * Pointers:
 * `batch` and `plan` are NULL or handles not yet freed; `error` is NULL or valid for writing.
 */
umpin_status_t umpin_batch_submit(const umpin_batch *batch,
                                  const umpin_plan *plan,
                                  umpin_error **error);

/**
 * The outcome of the oldest submission that has not been collected; `*index` is its number, from 0. `UMPIN_OK`: carried
 * out, as umpin_plan_commit() tells it; `pin` may be NULL, and a PIN that was generated is then in its message alone.
 * `UMPIN_PENDING`: not finished within `timeout_ms` milliseconds.
 * `UMPIN_BATCH_EMPTY`: nothing is outstanding. `UMPIN_CANCELLED`: that reset was cancelled and changed nothing, with `*index`
 * written too. Anything else is that item's failure, with `*index` written too.
 *
 * Pointers:
 * `batch` is NULL or a batch not yet freed; the others are NULL or valid for writing.
 */
umpin_status_t umpin_batch_collect(const umpin_batch *batch,
                                   uint32_t timeout_ms,
                                   uint64_t *index,
                                   umpin_buffer **response,
                                   umpin_buffer **pin,
                                   umpin_error **error);

/**
 * Cancels a batch: resets that have not begun, and those that have not reached their commit point, end with `UMPIN_CANCELLED`
 * and change nothing; the others finish. Does not wait, and may be called beside a waiting call; go on with
 * umpin_batch_collect(), which tells of each how it ended, until the batch is empty. The batch accepts nothing more:
 * umpin_batch_submit() answers `UMPIN_CANCELLED`.
 *
 * Pointers:
 * `batch` is NULL or a batch not yet freed.
 */
umpin_status_t umpin_batch_cancel(const umpin_batch *batch);

/**
 * Frees a batch, and cancels what has not ended: see umpin_batch_cancel(). Resets past their commit point finish, and later calls
 * on the session wait for them. NULL is allowed.
 *
 * Pointers:
 * `batch` is NULL or a batch not yet freed, and is not used again.
 */
void umpin_batch_free(umpin_batch *batch);

/**
 * The bytes of a buffer: UTF-8 without a NUL at the end, valid until the buffer is freed.
 *
 * Pointers:
 * `buffer` is NULL or a buffer not yet freed; `data` and `length` are NULL or valid for writing.
 */
umpin_status_t umpin_buffer_data(const umpin_buffer *buffer, const uint8_t **data, size_t *length);

/**
 * Wipes and frees a buffer. NULL is allowed.
 *
 * Pointers:
 * `buffer` is NULL or a buffer not yet freed, and is not used again.
 */
void umpin_buffer_free(umpin_buffer *buffer);

/**
 * The status number of an error.
 *
 * Pointers:
 * `error` is NULL or an error not yet freed; `status` is NULL or valid for writing.
 */
umpin_status_t umpin_error_status(const umpin_error *error, umpin_status_t *status);

/**
 * The id of an error, such as `ManagementObjectNotFound`, as PowerShell shows it; valid until the error is freed, like the other
 * texts. It stays from version to version. The statuses 1xx and 901 share the id `NativeFault`: tell those by their number.
 *
 * Pointers:
 * `error` is NULL or an error not yet freed; `data` and `length` are NULL or valid for writing.
 */
umpin_status_t umpin_error_id(const umpin_error *error,
                              const uint8_t **data,
                              size_t *length);

/**
 * What went wrong, in one sentence.
 *
 * Pointers:
 * As for `umpin_error_id`.
 */
umpin_status_t umpin_error_message(const umpin_error *error, const uint8_t **data, size_t *length);

/**
 * What to do about it, in one imperative sentence.
 *
 * Pointers:
 * As for `umpin_error_id`.
 */
umpin_status_t umpin_error_recommended_action(const umpin_error *error, const uint8_t **data, size_t *length);

/**
 * All of it as JSON: `{"v":1,"status":202,"id":"...","message":"...","recommendedAction":"...","details":{...},"diagnostics":["..."]}`.
 *
 * Pointers:
 * As for `umpin_error_id`.
 */
umpin_status_t umpin_error_json(const umpin_error *error,
                                const uint8_t **data,
                                size_t *length);

/**
 * Frees an error. NULL is allowed.
 *
 * Pointers:
 * `error` is NULL or an error not yet freed, and is not used again.
 */
void umpin_error_free(umpin_error *error);

/**
 * Plans a reset: copies request and PIN, starts looking the mailbox up, and returns at once. `pin_length` 0 means that a
 * PIN is generated, or kept with `keepPin`. The caller wipes its own copy of the PIN.
 *
 * Pointers:
 * `session` is NULL or a session not yet freed; `request` and `pin_text` are NULL or valid for reading as many bytes as
 * their lengths say; `plan` and `error` are NULL or valid for writing.
 */
umpin_status_t umpin_plan_new(const umpin_session *session,
                              const uint8_t *request,
                              size_t request_length,
                              const uint8_t *pin_text,
                              size_t pin_length,
                              umpin_plan **plan,
                              umpin_error **error);

/**
 * What will be reset, as JSON: the mailbox found, the recipient, warnings. `UMPIN_PENDING` when the look-up is not finished
 * within `timeout_ms` milliseconds. May be asked again. Everything is checked but the PIN's history.
 *
 * Pointers:
 * `plan` is NULL or a plan not yet freed; `target` and `error` are NULL or valid for writing.
 */
umpin_status_t umpin_plan_target(const umpin_plan *plan,
                                 uint32_t timeout_ms,
                                 umpin_buffer **target,
                                 umpin_error **error);

/**
 * Checks the rest: that a given PIN is not in the history, or that policy and history leave one to generate. Costs a derivation
 * for a given PIN, and for one to be generated where hardly any is left; a later commit does not repeat it. Changes nothing; commit
 * checks for itself. May be asked again.
 *
 * Pointers:
 * `plan` is NULL or a plan not yet freed; `error` is NULL or valid for writing.
 */
umpin_status_t umpin_plan_validate(const umpin_plan *plan,
                                   uint32_t timeout_ms,
                                   umpin_error **error);

/**
 * Carries the reset out. `UMPIN_OK` means that the change is durable, whatever became of the message: that is in
 * `warnings` of the response. `*pin` receives the generated PIN, or NULL when none was generated; `pin` itself may be NULL.
 * `UMPIN_PENDING`: under way, call again. Any other answer uses the plan up, save for those of the family 1xx: they say that the
 * call was wrong, and leave the plan as it is.
 *
 * Pointers:
 * `plan` is NULL or a plan not yet freed; `response`, `pin` and `error` are NULL or valid for writing.
 */
umpin_status_t umpin_plan_commit(const umpin_plan *plan,
                                 uint32_t timeout_ms,
                                 umpin_buffer **response,
                                 umpin_buffer **pin,
                                 umpin_error **error);

/**
 * Cancels a plan: before its commit point it ends with `UMPIN_CANCELLED` and changes nothing, after it it finishes. Does not
 * wait, and may be called beside a waiting call; go on with umpin_plan_commit() until that has told how it ended. Has no effect
 * on a plan that has ended, nor on one that was handed to a batch: see umpin_batch_cancel().
 *
 * Pointers:
 * `plan` is NULL or a plan not yet freed.
 */
umpin_status_t umpin_plan_cancel(const umpin_plan *plan);

/**
 * Frees a plan, and cancels it if it has not ended: see umpin_plan_cancel(). A commit past its commit point finishes, and later
 * calls on the session wait for it. NULL is allowed.
 *
 * Pointers:
 * `plan` is NULL or a plan not yet freed, and is not used again.
 */
void umpin_plan_free(umpin_plan *plan);

/**
 * Starts the operation that the JSON request names and returns at once. The introduction lists the operations, with what each
 * takes and answers.
 *
 * Pointers:
 * `session` is NULL or a session not yet freed; `json` is NULL or valid for reading `json_length` bytes; `request` and
 * `error` are NULL or valid for writing.
 */
umpin_status_t umpin_request_new(const umpin_session *session,
                                 const uint8_t *json,
                                 size_t json_length,
                                 umpin_request **request,
                                 umpin_error **error);

/**
 * The answer as JSON. `UMPIN_PENDING` when there is none within `timeout_ms` milliseconds: call again. Any other
 * answer uses the request up, save for those of the family 1xx.
 *
 * Pointers:
 * `request` is NULL or a request not yet freed; `response` and `error` are NULL or valid for writing.
 */
umpin_status_t umpin_request_wait(const umpin_request *request,
                                  uint32_t timeout_ms,
                                  umpin_buffer **response,
                                  umpin_error **error);

/**
 * Cancels a request: before its commit point it ends with `UMPIN_CANCELLED` and changes nothing, after it it finishes. Does not
 * wait, and may be called beside a waiting call; go on with umpin_request_wait() until that has told how it ended. Has no effect
 * on a request that has ended, nor on an attempt to sign in, which is carried out and counted all the same.
 *
 * Pointers:
 * `request` is NULL or a request not yet freed.
 */
umpin_status_t umpin_request_cancel(const umpin_request *request);

/**
 * Frees a request, and cancels it if it has not ended: see umpin_request_cancel(). One past its commit point finishes, and later
 * calls on the session wait for it. NULL is allowed.
 *
 * Pointers:
 * `request` is NULL or a request not yet freed, and is not used again.
 */
void umpin_request_free(umpin_request *request);

/**
 * Opens a session. Reads the configuration file that the request names, starts a thread of each kind that it needs, and touches
 * nothing else: the request `status`, or the first reset, tells whether there is a store. `UMPIN_NATIVE_FAULT` when the
 * system has no threads; an open session works without further ones. `UMPIN_FORKED` in a child of
 * a process that has used the library.
 *
 * Pointers:
 * `request` is NULL or valid for reading `request_length` bytes; `session` and `error` are NULL or valid for writing.
 */
umpin_status_t umpin_session_open(const uint8_t *request,
                                  size_t request_length,
                                  umpin_session **session,
                                  umpin_error **error);

/**
 * Frees a session. Does not wait, and cancels nothing by itself. Plans, batches and requests of the session stay valid and must
 * be freed too, before or after. NULL is allowed.
 *
 * Pointers:
 * `session` is NULL or a session not yet freed, and is not used again.
 */
void umpin_session_free(umpin_session *session);

/**
 * Starts an attempt to sign in with the PIN that was keyed, and returns at once. From here on it is carried out and, if wrong,
 * counted, also when the request is cancelled or freed: no guess is free. Wait with umpin_request_wait(): every answer to
 * a PIN that is not right comes half a second after this call, or after a multiple of it that depends only on how many calls there
 * are; one to the right PIN (accepted, change required) after an eighth of a second, or a multiple of it. The caller wipes its own copy of the PIN.
 *
 * Pointers:
 * `session` is NULL or a session not yet freed; `json` and `pin_text` are NULL or valid for reading as many bytes as their
 * lengths say; `request` and `error` are NULL or valid for writing.
 */
umpin_status_t umpin_signin(const umpin_session *session,
                            const uint8_t *json,
                            size_t json_length,
                            const uint8_t *pin_text,
                            size_t pin_length,
                            umpin_request **request,
                            umpin_error **error);

/**
 * Starts the user's own change of the PIN, and returns at once. A wrong old PIN is answered and counted as by umpin_signin();
 * with the right one the new PIN must obey the whole policy (`UMPIN_PIN_POLICY_VIOLATION` names every broken rule), and ends
 * the expired state and the first-time use. The caller wipes its own copies of the PINs.
 *
 * Pointers:
 * As umpin_signin().
 */
umpin_status_t umpin_change_pin(const umpin_session *session,
                                const uint8_t *json,
                                size_t json_length,
                                const uint8_t *old_pin,
                                size_t old_pin_length,
                                const uint8_t *new_pin,
                                size_t new_pin_length,
                                umpin_request **request,
                                umpin_error **error);

/**
 * What an attempt came to, as numbers, for programs that need nothing else of the answer. Ask after umpin_request_wait()
 * returned `UMPIN_OK`; until then `UMPIN_PENDING`. `until_reset` and `until_lock` receive how many wrong PINs are left until
 * the PIN is reset and until the mailbox is locked, or `UMPIN_UNLIMITED`; the lock-out comes first where both are due. Either
 * may be NULL. `UMPIN_INVALID_ARGUMENT` for a request that was no attempt, or that failed.
 *
 * Pointers:
 * `request` is NULL or a request not yet freed; the others are NULL or valid for writing.
 */
umpin_status_t umpin_signin_result(const umpin_request *request,
                                   umpin_signin_t *result,
                                   uint32_t *until_reset,
                                   uint32_t *until_lock,
                                   umpin_error **error);

/**
 * The interface number of the loaded library (the number itself, no status): a program compares it with
 * `UMPIN_ABI_VERSION` before any other call.
 */
uint32_t umpin_abi_version(void);

/**
 * The library's version, such as `0.1.0`: static text, never to be freed.
 *
 * Pointers:
 * `text` and `length` are NULL or valid for writing.
 */
umpin_status_t umpin_version(const uint8_t **text, size_t *length);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* UMPIN_H */

/*
 * Sign-in on one telephone line, as in an interactive voice response system. Standard input is the keypad:
 * digits, '#' ends an entry, '*' clears it; other characters are ignored. Standard output is what the caller hears.
 *
 *   cc -I include examples/ivr.c -L target/release -lumpin -Wl,-rpath,target/release -o ivr
 *   printf '42710#1985848#905317#905317#' | ./ivr /abs/data [DIAL-PLAN]
 *
 * signs 42710 in, after examples/reset.c has set the PIN 1985848, which must be changed, for that mailbox of the sample directory:
 *
 *   ./reset /abs/data --import /abs/examples/sample-directory.csv
 *   ./reset /abs/data tonysmith@contoso.com 1985848
 *
 * Exit code: 0 if the caller is signed in, 1 if not, 2 if the system does not work.
 */
#include <stdio.h>
#include <string.h>

#include "umpin.h"

enum { DIGITS = 24, TRIES = 3 };

/* The digits keyed before '#'. */
struct entry {
    char digits[DIGITS + 1];
    size_t length;
    int too_long;
};

/* Not memset(), which a compiler may optimise away for memory that is not read again. */
static void wipe(struct entry *entry) {
    volatile char *digit = entry->digits;
    size_t i;
    for (i = 0; i < sizeof entry->digits; ++i)
        digit[i] = 0;
    entry->length = 0;
    entry->too_long = 0;
}

/* The same for every refusal: a caller must not learn which extensions exist, nor which are locked. */
static const char REFUSAL[] = "That is not right. If you have forgotten your PIN, read your mail or call the help desk.";

static void say(const char *text) {
    printf("%s\n", text);
    fflush(stdout);
}

/* Returns 0 if the caller hangs up. */
static int key_in(const char *prompt, struct entry *entry) {
    int key;
    say(prompt);
    wipe(entry);
    while ((key = getchar()) != EOF) {
        if (key == '#')
            return 1;
        if (key == '*') {
            wipe(entry);
        } else if (key >= '0' && key <= '9') {
            if (entry->length < DIGITS)
                entry->digits[entry->length++] = (char)key;
            else
                entry->too_long = 1;
        }
    }
    wipe(entry);
    return 0;
}

/* Writes the error for the operator; the caller hears only that the system does not work. */
static void complain(umpin_error *error) {
    const uint8_t *text = NULL;
    size_t length = 0;
    if (error != NULL && umpin_error_message(error, &text, &length) == UMPIN_OK)
        fprintf(stderr, "%.*s\n", (int)length, (const char *)text);
    umpin_error_free(error);
}

/* Waits for the answer. A line with other work passes a shorter timeout and calls again. */
static umpin_status_t answer(umpin_request *request, umpin_signin_t *result, umpin_error **error) {
    umpin_buffer *json = NULL;
    umpin_status_t status;
    do
        status = umpin_request_wait(request, 1000, &json, error);
    while (status == UMPIN_PENDING);
    umpin_buffer_free(json);
    if (status == UMPIN_OK)
        status = umpin_signin_result(request, result, NULL, NULL, error);
    umpin_request_free(request);
    return status;
}

static umpin_status_t sign_in(const umpin_session *session, const char *who, const struct entry *pin,
                              umpin_signin_t *result, umpin_error **error) {
    umpin_request *request = NULL;
    umpin_status_t status = umpin_signin(session, (const uint8_t *)who, strlen(who), (const uint8_t *)pin->digits,
                                         pin->length, &request, error);
    return status == UMPIN_OK ? answer(request, result, error) : status;
}

/* Whether the failure is a refusal of this caller, and not a fault of the system. */
static int is_refusal(umpin_status_t status) {
    switch (status) {
    case UMPIN_INVALID_IDENTITY:
    case UMPIN_MANAGEMENT_OBJECT_NOT_FOUND:
    case UMPIN_MANAGEMENT_OBJECT_AMBIGUOUS:
    case UMPIN_MAILBOX_NOT_UM_ENABLED:
    /* These may concern this mailbox alone. */
    case UMPIN_STORE_CORRUPT:
    case UMPIN_ACCESS_DENIED:
    case UMPIN_WRITE_CONFLICT:
    case UMPIN_OUTCOME_UNKNOWN:
        return 1;
    default:
        return 0;
    }
}

/* An expired PIN allows only the choice of a new one. Returns the same values as take_call(). */
static int choose_new_pin(const umpin_session *session, const char *who, const struct entry *old) {
    struct entry once, again;
    umpin_error *error = NULL;
    umpin_request *request = NULL;
    umpin_signin_t result = 0;
    umpin_status_t status;
    int done = 0, tries;

    for (tries = 0; tries < TRIES && !done; ++tries) {
        if (!key_in("You must choose a new PIN. Key it in, then the hash key.", &once))
            break;
        if (!key_in("Once more, please.", &again)) {
            wipe(&once);
            break;
        }
        if (once.length == 0 || once.too_long || once.length != again.length || memcmp(once.digits, again.digits, once.length) != 0) {
            say("The two were not the same.");
        } else {
            status = umpin_change_pin(session, (const uint8_t *)who, strlen(who), (const uint8_t *)old->digits, old->length,
                                      (const uint8_t *)once.digits, once.length, &request, &error);
            if (status == UMPIN_OK)
                status = answer(request, &result, &error);
            if (status == UMPIN_OK && result == UMPIN_SIGNIN_ACCEPTED) {
                done = 1;
            } else if (status == UMPIN_PIN_POLICY_VIOLATION) {
                say("That PIN is not allowed. Choose a longer one, without a pattern, that you have not used before.");
                umpin_error_free(error);
                error = NULL;
            } else if (status == UMPIN_OK || is_refusal(status)) {
                /* The mailbox was reset or locked meanwhile. */
                say(REFUSAL);
                complain(error);
                error = NULL;
                tries = TRIES;
            } else {
                complain(error);
                done = -1;
            }
        }
        wipe(&once);
        wipe(&again);
    }
    return done;
}

/* Returns 1: signed in; 0: not signed in; -1: the system does not work. */
static int take_call(const umpin_session *session, const char *dial_plan) {
    struct entry extension, pin;
    char who[256];
    umpin_error *error = NULL;
    umpin_signin_t result;
    umpin_status_t status;
    int tries, in = 0;

    /* Ask for the PIN even if no extension, or too many digits, were keyed. No mailbox has such an extension. */
    if (!key_in("Welcome. Key in your extension, then the hash key.", &extension))
        return 0;
    if (dial_plan == NULL)
        snprintf(who, sizeof who, "{\"v\":1,\"cmdlet\":\"ivr\",\"extension\":\"%s\"}", extension.digits);
    else
        snprintf(who, sizeof who, "{\"v\":1,\"cmdlet\":\"ivr\",\"extension\":\"%s\",\"dialPlan\":\"%s\"}", extension.digits, dial_plan);

    for (tries = 0; tries < TRIES && in == 0; ++tries) {
        if (!key_in("Key in your PIN, then the hash key.", &pin))
            break;
        result = 0;
        if (pin.length == 0 || pin.too_long || extension.length == 0 || extension.too_long) {
            /* No attempt, but the same refusal. */
            say(REFUSAL);
            continue;
        }
        status = sign_in(session, who, &pin, &result, &error);
        if (status == UMPIN_OK && result == UMPIN_SIGNIN_ACCEPTED) {
            in = 1;
        } else if (status == UMPIN_OK && result == UMPIN_SIGNIN_CHANGE_REQUIRED) {
            in = choose_new_pin(session, who, &pin);
            tries = TRIES;
        } else if (status == UMPIN_OK || is_refusal(status)) {
            say(REFUSAL);
            complain(error);
            error = NULL;
        } else {
            complain(error);
            in = -1;
        }
        wipe(&pin);
    }
    return in;
}

int main(int argc, char **argv) {
    char json[2048];
    umpin_session *session = NULL;
    umpin_error *error = NULL;
    int in;

    /* Quotes and backslashes would have to be escaped in JSON. */
    if (argc < 2 || argc > 3 || strpbrk(argv[1], "\"\\") != NULL ||
        (argc == 3 && (strpbrk(argv[2], "\"\\") != NULL || strlen(argv[2]) > 100))) {
        fprintf(stderr, "usage: %s DATA-DIRECTORY [DIAL-PLAN]\n", argv[0]);
        return 2;
    }
    if (umpin_abi_version() != UMPIN_ABI_VERSION) {
        fprintf(stderr, "the library and the header have different ABI versions\n");
        return 2;
    }
    if (snprintf(json, sizeof json, "{\"v\":1,\"application\":\"examples/ivr.c\",\"dataDirectory\":\"%s\"}", argv[1]) >= (int)sizeof json)
        return 2;
    /* A telephone system opens one session when it starts and shares it among its lines. */
    if (umpin_session_open((const uint8_t *)json, strlen(json), &session, &error) != UMPIN_OK) {
        complain(error);
        return 2;
    }
    in = take_call(session, argc == 3 ? argv[2] : NULL);
    umpin_session_free(session);
    if (in < 0) {
        say("The system is not available. Please call again later.");
        return 2;
    }
    say(in ? "You are signed in." : "Good bye.");
    return in ? 0 : 1;
}

/* Signing in by telephone: outcomes, numbers, the user's own change, and what is refused. */
#include "support.h"

static umpin_error *error;

#define TONY "{\"v\":1,\"identity\":\"tonysmith@contoso.com\"}"

static umpin_status_t answered(umpin_request *request, char **answer) {
    umpin_buffer *response = NULL;
    umpin_signin_t early = 99;
    umpin_status_t status;
    do {
        status = umpin_request_wait(request, 20, &response, &error);
        if (status == UMPIN_PENDING) {
            /* The answer may have come between the two calls. */
            umpin_status_t numbers = umpin_signin_result(request, &early, NULL, NULL, NULL);
            CHECK(numbers == UMPIN_OK || early == 99);
        }
    } while (status == UMPIN_PENDING);
    if (status == UMPIN_OK)
        *answer = taken(&response);
    return status;
}

/* The outcome of one attempt; its numbers are compared with the JSON. */
static umpin_signin_t attempt(const umpin_session *session, const char *json, const char *pin, uint32_t *until_lock) {
    umpin_request *request = NULL;
    umpin_signin_t result = 0;
    uint32_t until_reset = 0;
    char expected[64];
    char *answer = NULL;
    EXPECT(umpin_signin(session, bytes(json), strlen(json), bytes(pin), strlen(pin), &request, &error), UMPIN_OK);
    EXPECT(answered(request, &answer), UMPIN_OK);
    EXPECT(umpin_signin_result(request, &result, &until_reset, until_lock, &error), UMPIN_OK);
    snprintf(expected, sizeof expected, "\"attemptsUntilReset\":%lu", (unsigned long)until_reset);
    CHECK(strstr(answer, expected) != NULL);
    CHECK(strstr(answer, pin) == NULL);
    EXPECT_ERROR(answered(request, &answer), UMPIN_ALREADY_USED, error);
    free(answer);
    umpin_request_free(request);
    return result;
}

static umpin_status_t change(const umpin_session *session, const char *old_pin, const char *new_pin, umpin_signin_t *result) {
    umpin_request *request = NULL;
    char *answer = NULL;
    umpin_status_t status = umpin_change_pin(session, bytes(TONY), strlen(TONY), bytes(old_pin), strlen(old_pin), bytes(new_pin),
                                             strlen(new_pin), &request, &error);
    if (status == UMPIN_OK)
        status = answered(request, &answer);
    if (status == UMPIN_OK)
        EXPECT(umpin_signin_result(request, result, NULL, NULL, &error), UMPIN_OK);
    free(answer);
    umpin_request_free(request);
    return status;
}

static void give_pin(const umpin_session *session, const char *expired, const char *pin) {
    char json[256];
    snprintf(json, sizeof json, "{\"v\":1,\"identity\":\"tonysmith@contoso.com\",\"sendEmail\":false,\"pinExpired\":%s}", expired);
    EXPECT(reset(session, json, pin, NULL, NULL, &error), UMPIN_OK);
}

static void outcomes(const umpin_session *session) {
    static const char by_extension[] = "{\"v\":1,\"extension\":\"42710\",\"deliver\":true}";
    uint32_t until_lock = 0;
    int i;
    give_pin(session, "false", "739152");
    CHECK(attempt(session, TONY, "739152", NULL) == UMPIN_SIGNIN_ACCEPTED);
    for (i = 1; i <= 15; ++i) {
        umpin_signin_t expected = i == 15                ? UMPIN_SIGNIN_LOCKED
                                  : i == 5 || i == 10    ? UMPIN_SIGNIN_RESET_BY_FAILURES
                                                         : UMPIN_SIGNIN_REJECTED;
        CHECK(attempt(session, by_extension, "111222", &until_lock) == expected);
        CHECK(until_lock == (uint32_t)(15 - i));
    }
    CHECK(attempt(session, TONY, "739152", NULL) == UMPIN_SIGNIN_LOCKED);
}

static void own_change(const umpin_session *session) {
    umpin_signin_t result = 0;
    give_pin(session, "true", "482913");
    CHECK(attempt(session, TONY, "482913", NULL) == UMPIN_SIGNIN_CHANGE_REQUIRED);
    EXPECT(change(session, "482913", "1234", &result), UMPIN_PIN_POLICY_VIOLATION);
    CHECK(error_says(error, "TooShort") && error_says(error, "Sequential"));
    umpin_error_free(error);
    error = NULL;
    EXPECT(change(session, "111222", "905317", &result), UMPIN_OK);
    CHECK(result == UMPIN_SIGNIN_REJECTED);
    EXPECT(change(session, "482913", "905317", &result), UMPIN_OK);
    CHECK(result == UMPIN_SIGNIN_ACCEPTED);
    CHECK(attempt(session, TONY, "905317", NULL) == UMPIN_SIGNIN_ACCEPTED);
}

static void refusals(const umpin_session *session) {
    static const char nobody[] = "{\"v\":1,\"identity\":\"nobody@contoso.com\"}";
    static const char status_request[] = "{\"v\":1,\"operation\":\"status\"}";
    umpin_request *request = NULL;
    umpin_signin_t result = 0;
    char *answer = NULL;

    EXPECT_ERROR(umpin_signin(session, bytes(TONY), strlen(TONY), NULL, 0, &request, &error), UMPIN_INVALID_ARGUMENT, error);
    EXPECT_ERROR(umpin_signin(session, bytes("{\"v\":1}"), 7, bytes("1"), 1, &request, &error), UMPIN_INVALID_REQUEST, error);
    EXPECT_ERROR(umpin_signin(session, bytes(TONY), strlen(TONY), NULL, 6, &request, &error), UMPIN_NULL_ARGUMENT, error);
    EXPECT_ERROR(umpin_signin(session, bytes(TONY), strlen(TONY), bytes("\xff"), 1, &request, &error), UMPIN_INVALID_UTF8, error);
    EXPECT_ERROR(umpin_signin(session, bytes(TONY), strlen(TONY), bytes("1"), 1, NULL, &error), UMPIN_NULL_ARGUMENT, error);
    EXPECT_ERROR(umpin_signin(NULL, bytes(TONY), strlen(TONY), bytes("1"), 1, &request, &error), UMPIN_NULL_ARGUMENT, error);
    EXPECT_ERROR(umpin_change_pin(session, bytes(TONY), strlen(TONY), bytes("1"), 1, NULL, 0, &request, &error),
                 UMPIN_INVALID_ARGUMENT, error);
    CHECK(request == NULL);

    /* One that fails has no result. */
    EXPECT(umpin_signin(session, bytes(nobody), strlen(nobody), bytes("739152"), 6, &request, &error), UMPIN_OK);
    EXPECT_ERROR(answered(request, &answer), UMPIN_MANAGEMENT_OBJECT_NOT_FOUND, error);
    EXPECT_ERROR(umpin_signin_result(request, &result, NULL, NULL, &error), UMPIN_INVALID_ARGUMENT, error);
    EXPECT_ERROR(umpin_signin_result(request, NULL, NULL, NULL, &error), UMPIN_NULL_ARGUMENT, error);
    umpin_request_free(request);

    /* Neither has a request of another kind. */
    EXPECT(umpin_request_new(session, bytes(status_request), strlen(status_request), &request, &error), UMPIN_OK);
    EXPECT(answered(request, &answer), UMPIN_OK);
    EXPECT_ERROR(umpin_signin_result(request, &result, NULL, NULL, &error), UMPIN_INVALID_ARGUMENT, error);
    EXPECT_ERROR(umpin_signin_result(NULL, &result, NULL, NULL, &error), UMPIN_NULL_ARGUMENT, error);
    umpin_request_free(request);
    free(answer);
}

int main(int argc, char **argv) {
    const char *folder = sandbox(argc, argv);
    umpin_session *session = open_in(folder);
    import_people(session, folder, PEOPLE);
    refusals(session);
    outcomes(session);
    own_change(session);
    umpin_session_free(session);
    return finished("signin");
}

/* Every family of errors, as a C program meets it. */
#include <sys/stat.h>

#include "support.h"

static umpin_error *error;
static char *answer;

/* A folder of its own below the sandbox. */
static char *below(const char *folder, const char *name) {
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    CHECK(mkdir(path, 0700) == 0);
    return copied(bytes(path), strlen(path));
}

static umpin_status_t open_with(const char *json, size_t length, umpin_session **session) {
    return umpin_session_open(bytes(json), length, session, &error);
}

static void bad_open_requests(const char *folder) {
    static const char *const refused[] = {
        "",
        "not JSON",
        "{\"v\":1}",
        "{\"v\":2,\"dataDirectory\":\"/tmp\"}",
        "{\"v\":1,\"dataDirectory\":\"relative\"}",
        "{\"v\":1,\"dataDirectory\":\"/tmp\",\"surprise\":1}",
        "{\"v\":1,\"dataDirectory\":7}",
        "[]",
        "{\"v\":1,\"dataDirectory\":\"/tmp\"} trailing",
    };
    static const char not_utf8[] = "{\"v\":1,\"dataDirectory\":\"/\xff\"}";
    char configured[2048];
    char path[1024];
    umpin_session *session = NULL;
    size_t i;

    for (i = 0; i < sizeof refused / sizeof refused[0]; ++i) {
        EXPECT_ERROR(open_with(refused[i], strlen(refused[i]), &session), UMPIN_INVALID_REQUEST, error);
        CHECK(session == NULL);
    }
    EXPECT_ERROR(open_with(not_utf8, strlen(not_utf8), &session), UMPIN_INVALID_UTF8, error);
    EXPECT_ERROR(open_with(NULL, 5, &session), UMPIN_NULL_ARGUMENT, error);
    EXPECT_ERROR(open_with("{}", 2, NULL), UMPIN_NULL_ARGUMENT, error);
    /* Without interest in the reason. */
    EXPECT(umpin_session_open(bytes("{"), 1, &session, NULL), UMPIN_INVALID_REQUEST);
    CHECK(session == NULL);

    snprintf(path, sizeof path, "%s/bad.json", folder);
    snprintf(configured, sizeof configured, "{\"v\":1,\"dataDirectory\":\"%s\",\"configFile\":\"%s\"}", folder, path);
    EXPECT_ERROR(open_with(configured, strlen(configured), &session), UMPIN_CONFIGURATION_INVALID, error);
    write_file(path, "{\"directry\":{}}", 15);
    EXPECT(open_with(configured, strlen(configured), &session), UMPIN_CONFIGURATION_INVALID);
    CHECK(error_says(error, "directry") && error_says(error, "bad.json"));
    umpin_error_free(error);
    error = NULL;
    CHECK(session == NULL);
}

static void missing_store(const char *folder) {
    umpin_session *session = open_in(folder);
    EXPECT(ask(session, "{\"v\":1,\"operation\":\"status\"}", &answer, &error), UMPIN_DIRECTORY_UNAVAILABLE);
    CHECK(error_says(error, "directory.db"));
    umpin_error_free(error);
    error = NULL;
    EXPECT_ERROR(reset(session, "{\"v\":1,\"identity\":\"tonysmith\"}", NULL, NULL, NULL, &error), UMPIN_DIRECTORY_UNAVAILABLE,
                 error);
    umpin_session_free(session);
}

static void bad_requests(const umpin_session *session) {
    static const char *const refused[] = {
        "{\"v\":1,\"operation\":\"nonsense\"}",
        "{\"v\":1}",
        "{\"v\":1,\"operation\":\"status\",\"surprise\":1}",
        "{\"v\":1,\"operation\":\"pinInfo\",\"pageSize\":\"many\"}",
        "{\"operation\":\"status\"}",
        "\x01",
    };
    umpin_request *request = NULL;
    umpin_plan *plan = NULL;
    umpin_batch *batch = NULL;
    size_t i;
    for (i = 0; i < sizeof refused / sizeof refused[0]; ++i)
        EXPECT_ERROR(ask(session, refused[i], &answer, &error), UMPIN_INVALID_REQUEST, error);
    EXPECT_ERROR(ask(session, "{\"v\":1,\"operation\":\"pinInfo\",\"pageSize\":0}", &answer, &error), UMPIN_INVALID_ARGUMENT, error);
    EXPECT_ERROR(umpin_request_new(session, bytes("\xc3"), 1, &request, &error), UMPIN_INVALID_UTF8, error);
    EXPECT_ERROR(umpin_request_new(NULL, bytes("{}"), 2, &request, &error), UMPIN_NULL_ARGUMENT, error);
    EXPECT_ERROR(umpin_plan_new(session, bytes("{\"v\":1}"), 7, NULL, 0, &plan, &error), UMPIN_INVALID_REQUEST, error);
    EXPECT_ERROR(umpin_plan_new(session, NULL, 9, NULL, 0, &plan, &error), UMPIN_NULL_ARGUMENT, error);
    EXPECT_ERROR(umpin_plan_new(session, bytes("{\"v\":1,\"identity\":\"kima\"}"), 25, NULL, 6, &plan, &error),
                 UMPIN_NULL_ARGUMENT, error);
    EXPECT_ERROR(umpin_batch_new(session, 0, &batch, &error), UMPIN_INVALID_ARGUMENT, error);
    EXPECT_ERROR(umpin_batch_new(session, 65, &batch, &error), UMPIN_INVALID_ARGUMENT, error);
    CHECK(request == NULL && plan == NULL && batch == NULL);
}

static void refuse(const umpin_session *session, const char *fields, const char *pin, umpin_status_t expected) {
    char json[1024];
    snprintf(json, sizeof json, "{\"v\":1,%s}", fields);
    EXPECT_ERROR(reset(session, json, pin, NULL, NULL, &error), expected, error);
}

static void bad_resets(const umpin_session *session) {
    umpin_plan *plan = NULL;

    refuse(session, "\"identity\":\"\"", NULL, UMPIN_INVALID_IDENTITY);
    refuse(session, "\"identity\":\"nobody@contoso.com\"", NULL, UMPIN_MANAGEMENT_OBJECT_NOT_FOUND);
    refuse(session, "\"identity\":\"*\"", NULL, UMPIN_MANAGEMENT_OBJECT_NOT_FOUND);
    refuse(session, "\"identity\":\"jeffh\"", NULL, UMPIN_MAILBOX_NOT_UM_ENABLED);
    refuse(session, "\"identity\":\"kima\",\"notifyEmail\":\"not an address\"", NULL, UMPIN_INVALID_NOTIFY_EMAIL);
    refuse(session, "\"identity\":\"kima\",\"notifyEmail\":\"a@contoso.com,b@contoso.com\"", NULL, UMPIN_INVALID_NOTIFY_EMAIL);
    refuse(session, "\"identity\":\"reception\"", NULL, UMPIN_NO_NOTIFICATION_ADDRESS);
    refuse(session, "\"identity\":\"kima\",\"ignoreDefaultScope\":true", NULL, UMPIN_INVALID_PARAMETER_COMBINATION);
    refuse(session, "\"identity\":\"kima\",\"keepPin\":true,\"lockedOut\":true", "1985848", UMPIN_INVALID_PARAMETER_COMBINATION);

    /* Two people of one name: how many, and who. */
    EXPECT(reset(session, "{\"v\":1,\"identity\":\"Pat Coleman\"}", NULL, NULL, NULL, &error), UMPIN_MANAGEMENT_OBJECT_AMBIGUOUS);
    CHECK(error_says(error, "\"count\":2") && error_says(error, "contoso.com/Sales/Pat Coleman"));
    umpin_error_free(error);
    error = NULL;

    /* All broken rules at once; the PIN itself is never repeated. */
    EXPECT(reset(session, "{\"v\":1,\"identity\":\"kima\"}", "3456", NULL, NULL, &error), UMPIN_PIN_POLICY_VIOLATION);
    CHECK(error_says(error, "\"TooShort\"") && error_says(error, "\"Sequential\""));
    CHECK(!error_says(error, "3456"));
    umpin_error_free(error);
    error = NULL;
    refuse(session, "\"identity\":\"kima\"", "12ab98", UMPIN_PIN_POLICY_VIOLATION);
    refuse(session, "\"identity\":\"kima\"", "9942711", UMPIN_PIN_POLICY_VIOLATION);
    refuse(session, "\"identity\":\"kima\"", "888888", UMPIN_PIN_POLICY_VIOLATION);

    /* Nothing of all that has changed anything: the first PIN is still to be set. Then a plan is used up. */
    EXPECT(planned(session, "{\"v\":1,\"identity\":\"kima\",\"sendEmail\":false}", "1985848", &plan, NULL, &error), UMPIN_OK);
    EXPECT(committed(plan, NULL, NULL, &error), UMPIN_OK);
    EXPECT_ERROR(committed(plan, NULL, NULL, &error), UMPIN_ALREADY_USED, error);
    umpin_plan_free(plan);
    refuse(session, "\"identity\":\"kima\",\"sendEmail\":false", "1985848", UMPIN_PIN_POLICY_VIOLATION);
}

static void bad_imports(const umpin_session *session, const char *folder) {
    static const char binary[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    static const char row[] = "DistinguishedName,Name,UMEnabled\n\"CN=A,DC=contoso,DC=com\",A,true\nnonsense,B,perhaps\n";
    char path[1024];
    char request[2048];
    snprintf(path, sizeof path, "%s/bad.csv", folder);
    snprintf(request, sizeof request, "{\"v\":1,\"operation\":\"import\",\"path\":\"%s\"}", path);

    EXPECT(ask(session, request, &answer, &error), UMPIN_IMPORT_INVALID);
    umpin_error_free(error);
    error = NULL;
    write_file(path, "", 0);
    EXPECT_ERROR(ask(session, request, &answer, &error), UMPIN_IMPORT_INVALID, error);
    write_file(path, binary, sizeof binary - 1);
    EXPECT_ERROR(ask(session, request, &answer, &error), UMPIN_IMPORT_INVALID, error);
    write_file(path, row, sizeof row - 1);
    EXPECT(ask(session, request, &answer, &error), UMPIN_IMPORT_INVALID);
    CHECK(error_says(error, "\"line\":3"));
    umpin_error_free(error);
    error = NULL;
    /* The good row of the bad file has not come in. */
    EXPECT_ERROR(ask(session, "{\"v\":1,\"operation\":\"pinInfo\",\"identity\":\"CN=A,DC=contoso,DC=com\"}", &answer, &error),
                 UMPIN_MANAGEMENT_OBJECT_NOT_FOUND, error);
}

/* Where no message can be left at all, nothing is changed. */
static void no_notification(const char *folder) {
    char path[1024];
    umpin_session *session = open_in(folder);
    import_people(session, folder, PEOPLE);
    snprintf(path, sizeof path, "%s/pickup", folder);
    write_file(path, "a file where the folder should be", 33);
    EXPECT_ERROR(reset(session, "{\"v\":1,\"identity\":\"kima\"}", "1985848", NULL, NULL, &error), UMPIN_NOTIFICATION_UNAVAILABLE, error);
    EXPECT(ask(session, "{\"v\":1,\"operation\":\"pinInfo\",\"identity\":\"kima\"}", &answer, &error), UMPIN_OK);
    CHECK(strstr(answer, "\"firstTimeUser\":true") != NULL && strstr(answer, "\"pinExpired\":true") != NULL);
    free(answer);
    /* Without a message the reset goes through: the PIN is not in the history either. */
    EXPECT(reset(session, "{\"v\":1,\"identity\":\"kima\",\"sendEmail\":false}", "1985848", NULL, NULL, &error), UMPIN_OK);
    umpin_session_free(session);
}

/* What lies outside of the default scope is not seen, unless the request says otherwise with a distinguished name. */
static void outside_scope(const char *folder) {
    static const char configuration[] = "{\"defaultScope\":\"contoso.com/Sales\"}";
    char path[1024];
    char request[4096];
    umpin_plan *plan = NULL;
    umpin_session *session = open_in(folder);
    import_people(session, folder, PEOPLE);
    umpin_session_free(session);
    session = NULL;

    snprintf(path, sizeof path, "%s/umpin.json", folder);
    write_file(path, configuration, sizeof configuration - 1);
    snprintf(request, sizeof request, "{\"v\":1,\"dataDirectory\":\"%s\",\"configFile\":\"%s\"}", folder, path);
    EXPECT(open_with(request, strlen(request), &session), UMPIN_OK);
    EXPECT_ERROR(reset(session, "{\"v\":1,\"identity\":\"patc2\"}", NULL, NULL, NULL, &error), UMPIN_MANAGEMENT_OBJECT_NOT_FOUND,
                 error);
    EXPECT(planned(session, "{\"v\":1,\"identity\":\"CN=Pat Coleman,OU=Support,DC=contoso,DC=com\",\"ignoreDefaultScope\":true}", NULL,
                   &plan, NULL, &error),
           UMPIN_OK);
    umpin_plan_free(plan);
    plan = NULL;
    /* The one of two that is inside. */
    EXPECT(planned(session, "{\"v\":1,\"identity\":\"Pat Coleman\"}", NULL, &plan, &answer, &error), UMPIN_OK);
    CHECK(strstr(answer, "contoso.com/Sales/Pat Coleman") != NULL);
    free(answer);
    umpin_plan_free(plan);
    umpin_session_free(session);
}

static void lost_key(const char *folder) {
    char path[1024];
    umpin_session *session = open_in(folder);
    import_people(session, folder, PEOPLE);
    EXPECT(reset(session, "{\"v\":1,\"identity\":\"kima\",\"sendEmail\":false}", NULL, NULL, NULL, &error), UMPIN_OK);
    umpin_session_free(session);

    snprintf(path, sizeof path, "%s/umpin.key", folder);
    CHECK(chmod(path, 0644) == 0);
    session = open_in(folder);
    EXPECT_ERROR(reset(session, "{\"v\":1,\"identity\":\"kima\"}", NULL, NULL, NULL, &error), UMPIN_KEY_UNAVAILABLE, error);
    umpin_session_free(session);

    CHECK(remove(path) == 0);
    session = open_in(folder);
    EXPECT_ERROR(reset(session, "{\"v\":1,\"identity\":\"kima\"}", NULL, NULL, NULL, &error), UMPIN_KEY_UNAVAILABLE, error);
    umpin_session_free(session);
}

static void corrupt_store(const char *folder) {
    char path[1024];
    char garbage[8192];
    umpin_session *session;
    memset(garbage, 'x', sizeof garbage);
    snprintf(path, sizeof path, "%s/directory.db", folder);
    write_file(path, garbage, sizeof garbage);
    session = open_in(folder);
    EXPECT_ERROR(ask(session, "{\"v\":1,\"operation\":\"status\"}", &answer, &error), UMPIN_STORE_CORRUPT, error);
    EXPECT_ERROR(reset(session, "{\"v\":1,\"identity\":\"kima\"}", NULL, NULL, NULL, &error), UMPIN_STORE_CORRUPT, error);
    umpin_session_free(session);
}

int main(int argc, char **argv) {
    const char *folder = sandbox(argc, argv);
    char *own = below(folder, "main");
    umpin_session *session;

    bad_open_requests(folder);
    missing_store(own);
    session = open_in(own);
    import_people(session, own, PEOPLE);
    bad_requests(session);
    bad_resets(session);
    bad_imports(session, own);
    umpin_session_free(session);
    free(own);

    own = below(folder, "notification");
    no_notification(own);
    free(own);
    own = below(folder, "scope");
    outside_scope(own);
    free(own);
    own = below(folder, "key");
    lost_key(own);
    free(own);
    own = below(folder, "corrupt");
    corrupt_store(own);
    free(own);
    return finished("errors");
}

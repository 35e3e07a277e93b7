/* Every call from threads with the smallest stack that the header promises to be enough: 128 KiB, 512 KiB to open a session. A call
 * that needs more ends the program with a signal. */
#include <pthread.h>

#include "support.h"

enum { SMALL = 128 * 1024, LARGER = 512 * 1024, NESTED = 100000 };

static const char *folder;
static umpin_session *session;
static umpin_plan *plan;
static umpin_request *request;
static umpin_batch *batch;
static umpin_error *error;
/* Its text would fill the stacks of this test. */
static char text[NESTED + 2048];

static void *call(void *function) {
    void (**step)(void) = (void (**)(void))function;
    (*step)();
    return NULL;
}

static void on_a_stack_of(size_t size, void (*step)(void)) {
    pthread_attr_t attributes;
    pthread_t thread;
    CHECK(pthread_attr_init(&attributes) == 0);
    CHECK(pthread_attr_setstacksize(&attributes, size) == 0);
    CHECK(pthread_create(&thread, &attributes, call, &step) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(pthread_attr_destroy(&attributes) == 0);
}

static void open_it(void) {
    snprintf(text, sizeof text, "{\"v\":1,\"dataDirectory\":\"%s\",\"configFile\":\"%s/umpin.json\"}", folder, folder);
    EXPECT(umpin_session_open(bytes(text), strlen(text), &session, &error), UMPIN_OK);
}

static void refuse_to_open(void) {
    umpin_session *none = NULL;
    snprintf(text, sizeof text, "{\"v\":1,\"dataDirectory\":\"%s\",\"configFile\":\"%s/bad.json\"}", folder, folder);
    EXPECT(umpin_session_open(bytes(text), strlen(text), &none, &error), UMPIN_CONFIGURATION_INVALID);
    umpin_error_free(error);
    error = NULL;
    CHECK(none == NULL);
}

/* As deep as JSON can be, and deeper. */
static void nest(const char *before) {
    size_t begun = strlen(before);
    memcpy(text, before, begun);
    memset(text + begun, '[', NESTED);
}

static void refuse_nonsense(void) {
    static const char *const begun[] = {"", "{\"v\":", "{\"v\":1,\"operation\":", "{\"v\":1,\"operation\":\"status\",\"x\":",
                                        "{\"v\":1,\"identity\":\"x\",\"alternatives\":"};
    umpin_plan *no_plan = NULL;
    umpin_request *no_request = NULL;
    size_t i;
    for (i = 0; i < sizeof begun / sizeof begun[0]; ++i) {
        size_t length = strlen(begun[i]) + NESTED;
        nest(begun[i]);
        EXPECT(umpin_plan_new(session, bytes(text), length, NULL, 0, &no_plan, &error), UMPIN_INVALID_REQUEST);
        umpin_error_free(error);
        EXPECT(umpin_request_new(session, bytes(text), length, &no_request, &error), UMPIN_INVALID_REQUEST);
        umpin_error_free(error);
        EXPECT(umpin_signin(session, bytes(text), length, bytes("1"), 1, &no_request, &error), UMPIN_INVALID_REQUEST);
        umpin_error_free(error);
        error = NULL;
    }
    CHECK(no_plan == NULL && no_request == NULL);
}

static void fill(void) {
    snprintf(text, sizeof text, "{\"v\":1,\"operation\":\"import\",\"path\":\"%s/people.csv\"}", folder);
    EXPECT(umpin_request_new(session, bytes(text), strlen(text), &request, &error), UMPIN_OK);
}

static void answered(void) {
    umpin_buffer *answer = NULL;
    umpin_status_t status;
    do
        status = umpin_request_wait(request, 200, &answer, &error);
    while (status == UMPIN_PENDING);
    CHECK(status == UMPIN_OK);
    umpin_buffer_free(answer);
}

static void end_request(void) {
    EXPECT(umpin_request_cancel(request), UMPIN_OK);
    umpin_request_free(request);
    request = NULL;
}

static void make_plan(void) {
    static const char json[] = "{\"v\":1,\"identity\":\"kima\",\"pinExpired\":false}";
    EXPECT(umpin_plan_new(session, bytes(json), strlen(json), bytes("1985848"), 7, &plan, &error), UMPIN_OK);
}

static void show(void) {
    umpin_buffer *target = NULL;
    umpin_status_t status;
    do
        status = umpin_plan_target(plan, 200, &target, &error);
    while (status == UMPIN_PENDING);
    CHECK(status == UMPIN_OK);
    umpin_buffer_free(target);
    EXPECT(validated(plan, &error), UMPIN_OK);
}

static void carry_out(void) {
    EXPECT(committed(plan, NULL, NULL, &error), UMPIN_OK);
}

static void refuse_again(void) {
    EXPECT_ERROR(committed(plan, NULL, NULL, &error), UMPIN_ALREADY_USED, error);
    EXPECT(umpin_plan_cancel(plan), UMPIN_OK);
    umpin_plan_free(plan);
    plan = NULL;
}

static void in_a_batch(void) {
    umpin_buffer *answer = NULL;
    umpin_buffer *pin = NULL;
    uint64_t number = 7;
    umpin_status_t status;
    static const char json[] = "{\"v\":1,\"identity\":\"tonysmith\"}";
    EXPECT(umpin_batch_new(session, 2, &batch, &error), UMPIN_OK);
    EXPECT(umpin_plan_new(session, bytes(json), strlen(json), NULL, 0, &plan, &error), UMPIN_OK);
    show();
    EXPECT(umpin_batch_submit(batch, plan, &error), UMPIN_OK);
    do
        status = umpin_batch_collect(batch, 200, &number, &answer, &pin, &error);
    while (status == UMPIN_PENDING);
    CHECK(status == UMPIN_OK && number == 0);
    umpin_buffer_free(answer);
    umpin_buffer_free(pin);
    EXPECT(umpin_batch_cancel(batch), UMPIN_OK);
    umpin_batch_free(batch);
    umpin_plan_free(plan);
}

static void sign_in(void) {
    static const char json[] = "{\"v\":1,\"extension\":\"42711\"}";
    EXPECT(umpin_signin(session, bytes(json), strlen(json), bytes("1985848"), 7, &request, &error), UMPIN_OK);
}

static void signed_in(void) {
    umpin_signin_t result = 0;
    EXPECT(umpin_signin_result(request, &result, NULL, NULL, &error), UMPIN_OK);
    CHECK(result == UMPIN_SIGNIN_ACCEPTED);
}

static void change_pin(void) {
    static const char json[] = "{\"v\":1,\"extension\":\"42711\"}";
    EXPECT(umpin_change_pin(session, bytes(json), strlen(json), bytes("1985848"), 7, bytes("905317"), 6, &request, &error), UMPIN_OK);
}

static void close_it(void) {
    umpin_session_free(session);
}

int main(int argc, char **argv) {
    static const char config[] = "{\"notification\":{\"type\":\"pickup\",\"language\":\"de\",\"helpDesk\":\"helpdesk@contoso.com\","
                                 "\"accessNumbers\":{\"*\":[\"+1 425 555 0100\"]}},\"defaultScope\":\"contoso.com\"}";
    static const char relay[] = "{\"notification\":{\"type\":\"smtp\",\"host\":\"mail.contoso.com\",\"port\":\"x\"}}";
    folder = sandbox(argc, argv);
    snprintf(text, sizeof text, "%s/people.csv", folder);
    write_file(text, PEOPLE, strlen(PEOPLE));
    snprintf(text, sizeof text, "%s/umpin.json", folder);
    write_file(text, config, strlen(config));
    snprintf(text, sizeof text, "%s/bad.json", folder);
    write_file(text, relay, strlen(relay));

    on_a_stack_of(LARGER, refuse_to_open);
    on_a_stack_of(LARGER, open_it);
    on_a_stack_of(SMALL, refuse_nonsense);
    on_a_stack_of(SMALL, fill);
    on_a_stack_of(SMALL, answered);
    on_a_stack_of(SMALL, end_request);
    on_a_stack_of(SMALL, make_plan);
    on_a_stack_of(SMALL, show);
    on_a_stack_of(SMALL, carry_out);
    on_a_stack_of(SMALL, refuse_again);
    on_a_stack_of(SMALL, in_a_batch);
    on_a_stack_of(SMALL, sign_in);
    on_a_stack_of(SMALL, answered);
    on_a_stack_of(SMALL, signed_in);
    on_a_stack_of(SMALL, end_request);
    on_a_stack_of(SMALL, change_pin);
    on_a_stack_of(SMALL, answered);
    on_a_stack_of(SMALL, end_request);
    on_a_stack_of(SMALL, close_it);
    return finished("stacks");
}

/* Resets from end to end: fill a store, set PINs, read the state back, look at the message. */
#include <dirent.h>

#include "support.h"

#define TONY "\"identity\":\"tonysmith@contoso.com\""

static void check_state(const umpin_session *session, const char *identity, const char *expired, const char *locked) {
    char request[256];
    char part[64];
    char *answer = NULL;
    umpin_error *error = NULL;
    snprintf(request, sizeof request, "{\"v\":1,\"operation\":\"pinInfo\",\"identity\":\"%s\"}", identity);
    EXPECT(ask(session, request, &answer, &error), UMPIN_OK);
    snprintf(part, sizeof part, "\"pinExpired\":%s", expired);
    CHECK(strstr(answer, part) != NULL);
    snprintf(part, sizeof part, "\"lockedOut\":%s", locked);
    CHECK(strstr(answer, part) != NULL);
    CHECK(strstr(answer, "\"isValid\":true") != NULL);
    free(answer);
}

/* How many messages wait in the pickup folder, and does one hold this text? */
static int messages(const char *folder, const char *text, int *found) {
    char path[1024];
    int count = 0;
    DIR *directory;
    struct dirent *entry;
    snprintf(path, sizeof path, "%s/pickup", folder);
    *found = 0;
    directory = opendir(path);
    if (directory == NULL)
        return 0;
    while ((entry = readdir(directory)) != NULL) {
        size_t length = strlen(entry->d_name);
        if (length > 4 && strcmp(entry->d_name + length - 4, ".eml") == 0) {
            char file[2048];
            char content[32768];
            size_t size;
            FILE *stream;
            snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
            stream = fopen(file, "rb");
            CHECK(stream != NULL);
            size = fread(content, 1, sizeof content - 1, stream);
            content[size] = '\0';
            fclose(stream);
            ++count;
            *found |= strstr(content, text) != NULL;
        }
    }
    closedir(directory);
    return count;
}

static void chosen_pin(const umpin_session *session, const char *folder) {
    umpin_plan *plan = NULL;
    umpin_error *error = NULL;
    char *text = NULL;
    char *pin = NULL;
    int found = 0;

    EXPECT(planned(session, "{\"v\":1," TONY ",\"pinExpired\":true}", "1985848", &plan, &text, &error), UMPIN_OK);
    CHECK(strstr(text, "\"identity\":\"contoso.com/Sales/Tony Smith\"") != NULL);
    CHECK(strstr(text, "\"generatesPin\":false") != NULL);
    CHECK(strstr(text, "1985848") == NULL);
    free(text);
    EXPECT(validated(plan, &error), UMPIN_OK);
    CHECK(messages(folder, "1985848", &found) == 0);

    EXPECT(committed(plan, &text, &pin, &error), UMPIN_OK);
    CHECK(pin == NULL);
    CHECK(strstr(text, "\"notification\":\"sent\"") != NULL);
    CHECK(strstr(text, "\"pinGenerated\":false") != NULL);
    CHECK(strstr(text, "1985848") == NULL);
    free(text);
    umpin_plan_free(plan);

    check_state(session, "tonysmith@contoso.com", "true", "false");
    CHECK(messages(folder, "1985848", &found) == 1 && found);
}

static void generated_pin(const umpin_session *session, const char *folder) {
    umpin_error *error = NULL;
    char *text = NULL;
    char *pin = NULL;
    int found = 0;

    EXPECT(reset(session, "{\"v\":1," TONY ",\"pinExpired\":false}", NULL, &text, &pin, &error), UMPIN_OK);
    CHECK(strstr(text, "\"pinGenerated\":true") != NULL);
    CHECK(pin != NULL && strlen(pin) == 6 && strspn(pin, "0123456789") == 6);
    CHECK(strstr(text, pin) == NULL);
    CHECK(messages(folder, pin, &found) == 2 && found);
    free(text);
    free(pin);
    check_state(session, "tonysmith@contoso.com", "false", "false");
}

static void locking(const umpin_session *session, const char *folder) {
    umpin_error *error = NULL;
    char *text = NULL;
    int found = 0;

    EXPECT(reset(session, "{\"v\":1," TONY ",\"lockedOut\":true,\"sendEmail\":false,\"keepPin\":true,\"pinExpired\":false}", NULL,
                 &text, NULL, &error),
           UMPIN_OK);
    CHECK(strstr(text, "\"pinGenerated\":false") != NULL && strstr(text, "\"notification\":\"none\"") != NULL);
    free(text);
    check_state(session, "tonysmith@contoso.com", "false", "true");
    CHECK(messages(folder, "", &found) == 2);

    /* A plain reset unlocks, and expires. */
    EXPECT(reset(session, "{\"v\":1," TONY "}", NULL, NULL, NULL, &error), UMPIN_OK);
    check_state(session, "tonysmith@contoso.com", "true", "false");
}

static void what_if(const umpin_session *session, const char *folder) {
    umpin_plan *plan = NULL;
    umpin_error *error = NULL;
    umpin_buffer *response = NULL;
    char *text = NULL;
    int found = 0;
    int before = messages(folder, "", &found);

    EXPECT(planned(session, "{\"v\":1," TONY ",\"whatIf\":true,\"lockedOut\":true}", "7305162", &plan, &text, &error), UMPIN_OK);
    CHECK(strstr(text, "\"lockedOut\":true") != NULL);
    free(text);
    EXPECT(validated(plan, &error), UMPIN_OK);
    EXPECT_ERROR(umpin_plan_commit(plan, 0, &response, NULL, &error), UMPIN_INVALID_REQUEST, error);
    umpin_plan_free(plan);

    /* The history is part of what -WhatIf looks at. */
    plan = NULL;
    EXPECT(planned(session, "{\"v\":1," TONY ",\"whatIf\":true}", "1985848", &plan, NULL, &error), UMPIN_OK);
    EXPECT(validated(plan, &error), UMPIN_PIN_POLICY_VIOLATION);
    CHECK(error_says(error, "\"History\"") && !error_says(error, "1985848"));
    umpin_error_free(error);
    error = NULL;
    umpin_plan_free(plan);

    check_state(session, "tonysmith@contoso.com", "true", "false");
    CHECK(messages(folder, "7305162", &found) == before && !found);
}

static void in_bulk(const umpin_session *session) {
    static const char *const people[] = {"tsmith", "kima", "nobody@contoso.com", "patc", "patc2", "kima"};
    const size_t count = sizeof people / sizeof people[0];
    umpin_batch *batch = NULL;
    umpin_error *error = NULL;
    umpin_buffer *response = NULL;
    umpin_buffer *pin = NULL;
    uint64_t index = 99;
    size_t next = 0;
    uint64_t accepted = 0;
    uint64_t collected = 0;

    EXPECT(umpin_batch_new(session, 2, &batch, &error), UMPIN_OK);
    EXPECT(umpin_batch_collect(batch, 0, &index, &response, &pin, &error), UMPIN_BATCH_EMPTY);
    CHECK(index == 99 && response == NULL && pin == NULL && error == NULL);

    while (collected < accepted || next < count) {
        umpin_status_t status;
        umpin_plan *plan = NULL;
        char request[128];
        if (next < count) {
            snprintf(request, sizeof request, "{\"v\":1,\"identity\":\"%s\"}", people[next]);
            status = planned(session, request, NULL, &plan, NULL, &error);
            if (status != UMPIN_OK) {
                CHECK(next == 2);
                EXPECT_ERROR(status, UMPIN_MANAGEMENT_OBJECT_NOT_FOUND, error);
                umpin_plan_free(plan);
                ++next;
                continue;
            }
            status = umpin_batch_submit(batch, plan, &error);
            umpin_plan_free(plan);
            if (status == UMPIN_OK) {
                ++next;
                ++accepted;
                continue;
            }
            /* The window is full. */
            EXPECT(status, UMPIN_PENDING);
        }
        status = umpin_batch_collect(batch, 200, &index, &response, &pin, &error);
        if (status != UMPIN_PENDING) {
            char *text;
            EXPECT(status, UMPIN_OK);
            CHECK(index == collected && pin != NULL);
            free(taken(&pin));
            text = taken(&response);
            CHECK(strstr(text, "\"pinGenerated\":true") != NULL);
            free(text);
            ++collected;
        }
    }
    CHECK(collected == count - 1);
    EXPECT(umpin_batch_collect(batch, 0, &index, &response, &pin, &error), UMPIN_BATCH_EMPTY);
    umpin_batch_free(batch);
}

static void listings(const umpin_session *session) {
    umpin_error *error = NULL;
    char *text = NULL;
    EXPECT(ask(session, "{\"v\":1,\"operation\":\"status\"}", &text, &error), UMPIN_OK);
    CHECK(strstr(text, "directory.db\"") != NULL);
    free(text);
    EXPECT(ask(session, "{\"v\":1,\"operation\":\"mailboxes\",\"identity\":\"tsmith\"}", &text, &error), UMPIN_OK);
    CHECK(strstr(text, "\"extensions\":[\"42710\"]") != NULL && strstr(text, "\"umEnabled\":true") != NULL);
    free(text);
    EXPECT(ask(session, "{\"v\":1,\"operation\":\"policies\"}", &text, &error), UMPIN_OK);
    CHECK(strstr(text, "\"minPINLength\":6") != NULL);
    free(text);
    /* Page by page: five mailboxes are enabled. */
    EXPECT(ask(session, "{\"v\":1,\"operation\":\"pinInfo\",\"pageSize\":4}", &text, &error), UMPIN_OK);
    CHECK(strstr(text, "\"next\":\"") != NULL);
    free(text);
    EXPECT(ask(session, "{\"v\":1,\"operation\":\"pinInfo\",\"pageSize\":5}", &text, &error), UMPIN_OK);
    CHECK(strstr(text, "jeffh") == NULL && strstr(text, "kima") != NULL);
    free(text);
}

int main(int argc, char **argv) {
    const char *folder = sandbox(argc, argv);
    umpin_session *session = open_in(folder);

    import_people(session, folder, PEOPLE);
    check_state(session, "tonysmith@contoso.com", "true", "false");
    chosen_pin(session, folder);
    generated_pin(session, folder);
    locking(session, folder);
    what_if(session, folder);
    in_bulk(session);
    listings(session);
    umpin_session_free(session);
    return finished("reset");
}

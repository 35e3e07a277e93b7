/* What the test programs share. Valid as C11 and as C++. */
#ifndef UMPIN_TEST_SUPPORT_H
#define UMPIN_TEST_SUPPORT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "umpin.h"

#ifdef __cplusplus
static thread_local unsigned checks_made;
#else
static _Thread_local unsigned checks_made;
#endif

/* A test that goes on after a failed check would report its consequences instead of the cause. */
#define CHECK(condition)                                                                   \
    do {                                                                                   \
        ++checks_made;                                                                     \
        if (!(condition)) {                                                                \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);      \
            exit(1);                                                                       \
        }                                                                                  \
    } while (0)

#define EXPECT(call, expected)                                                             \
    do {                                                                                   \
        umpin_status_t got_ = (call);                                                      \
        ++checks_made;                                                                     \
        if (got_ != (umpin_status_t)(expected)) {                                          \
            fprintf(stderr, "%s:%d: status %lu instead of %s: %s\n", __FILE__, __LINE__,   \
                    (unsigned long)got_, #expected, #call);                                \
            exit(1);                                                                       \
        }                                                                                  \
    } while (0)

/* Expects a failure, and an error object that says the same in every way it can be asked. Frees it. */
#define EXPECT_ERROR(call, expected, error)                                                \
    do {                                                                                   \
        EXPECT(call, expected);                                                            \
        check_error((error), (expected), __LINE__);                                        \
        umpin_error_free(error);                                                           \
        (error) = NULL;                                                                    \
    } while (0)

static inline const uint8_t *bytes(const char *text) {
    return (const uint8_t *)text;
}

/* A copy with a zero byte at the end; the caller frees it. */
static inline char *copied(const uint8_t *data, size_t length) {
    char *copy = (char *)malloc(length + 1);
    CHECK(copy != NULL);
    if (length > 0)
        memcpy(copy, data, length);
    copy[length] = '\0';
    return copy;
}

/* The text of a buffer, which is freed; the caller frees the text. */
static inline char *taken(umpin_buffer **buffer) {
    const uint8_t *data = NULL;
    size_t length = 0;
    char *text;
    CHECK(*buffer != NULL);
    EXPECT(umpin_buffer_data(*buffer, &data, &length), UMPIN_OK);
    text = copied(data, length);
    umpin_buffer_free(*buffer);
    *buffer = NULL;
    return text;
}

static inline void check_error(umpin_error *error, umpin_status_t expected, int line) {
    const uint8_t *data = NULL;
    size_t length = 0;
    uint32_t status = 0;
    char start[64];
    char *json;
    CHECK(error != NULL);
    EXPECT(umpin_error_status(error, &status), UMPIN_OK);
    CHECK(status == expected);
    EXPECT(umpin_error_json(error, &data, &length), UMPIN_OK);
    json = copied(data, length);
    snprintf(start, sizeof start, "\"status\":%lu", (unsigned long)expected);
    if (strstr(json, start) == NULL || strstr(json, "\"v\":1") == NULL) {
        fprintf(stderr, "line %d: %s\n", line, json);
        exit(1);
    }
    EXPECT(umpin_error_id(error, &data, &length), UMPIN_OK);
    CHECK(length > 0);
    EXPECT(umpin_error_message(error, &data, &length), UMPIN_OK);
    CHECK(length > 10);
    EXPECT(umpin_error_recommended_action(error, &data, &length), UMPIN_OK);
    CHECK(length > 10 && data[length - 1] == '.');
    free(json);
}

/* Does the error's JSON contain this? The error stays. */
static inline int error_says(const umpin_error *error, const char *part) {
    const uint8_t *data = NULL;
    size_t length = 0;
    char *json;
    int found;
    EXPECT(umpin_error_json(error, &data, &length), UMPIN_OK);
    json = copied(data, length);
    found = strstr(json, part) != NULL;
    free(json);
    return found;
}

static inline void write_file(const char *path, const char *content, size_t length) {
    FILE *file = fopen(path, "wb");
    CHECK(file != NULL);
    CHECK(fwrite(content, 1, length, file) == length);
    CHECK(fclose(file) == 0);
}

/* Opens a session whose data lie in this folder. */
static inline umpin_session *open_in(const char *folder) {
    char request[2048];
    umpin_session *session = NULL;
    umpin_error *error = NULL;
    snprintf(request, sizeof request, "{\"v\":1,\"dataDirectory\":\"%s\",\"application\":\"tests/c\"}", folder);
    EXPECT(umpin_session_open(bytes(request), strlen(request), &session, &error), UMPIN_OK);
    CHECK(session != NULL && error == NULL);
    return session;
}

/* One request to its end. */
static inline umpin_status_t ask(const umpin_session *session, const char *json, char **answer, umpin_error **error) {
    umpin_request *request = NULL;
    umpin_buffer *response = NULL;
    umpin_status_t status = umpin_request_new(session, bytes(json), strlen(json), &request, error);
    if (status == UMPIN_OK) {
        do
            status = umpin_request_wait(request, 200, &response, error);
        while (status == UMPIN_PENDING);
    }
    if (status == UMPIN_OK)
        *answer = taken(&response);
    umpin_request_free(request);
    return status;
}

/* A plan whose target has been found, or why not. */
static inline umpin_status_t planned(const umpin_session *session, const char *json, const char *pin, umpin_plan **plan,
                                     char **target, umpin_error **error) {
    umpin_buffer *buffer = NULL;
    umpin_status_t status =
        umpin_plan_new(session, bytes(json), strlen(json), bytes(pin), pin == NULL ? 0 : strlen(pin), plan, error);
    if (status != UMPIN_OK)
        return status;
    do
        status = umpin_plan_target(*plan, 200, &buffer, error);
    while (status == UMPIN_PENDING);
    if (status == UMPIN_OK) {
        char *text = taken(&buffer);
        if (target != NULL)
            *target = text;
        else
            free(text);
    }
    return status;
}

static inline umpin_status_t validated(umpin_plan *plan, umpin_error **error) {
    umpin_status_t status;
    do
        status = umpin_plan_validate(plan, 200, error);
    while (status == UMPIN_PENDING);
    return status;
}

static inline umpin_status_t committed(umpin_plan *plan, char **answer, char **pin, umpin_error **error) {
    umpin_buffer *response = NULL;
    umpin_buffer *secret = NULL;
    umpin_status_t status;
    do
        status = umpin_plan_commit(plan, 200, &response, pin == NULL ? NULL : &secret, error);
    while (status == UMPIN_PENDING);
    if (status == UMPIN_OK) {
        char *text = taken(&response);
        if (answer != NULL)
            *answer = text;
        else
            free(text);
        if (pin != NULL)
            *pin = secret == NULL ? NULL : taken(&secret);
    }
    return status;
}

/* One reset to its end. */
static inline umpin_status_t reset(const umpin_session *session, const char *json, const char *pin, char **answer,
                                   char **generated, umpin_error **error) {
    umpin_plan *plan = NULL;
    umpin_status_t status = planned(session, json, pin, &plan, NULL, error);
    if (status == UMPIN_OK)
        status = committed(plan, answer, generated, error);
    umpin_plan_free(plan);
    return status;
}

/* Fills the store of this folder from a file that is written there first. */
static inline void import_people(const umpin_session *session, const char *folder, const char *csv) {
    char path[1024];
    char request[2048];
    char *answer = NULL;
    umpin_error *error = NULL;
    snprintf(path, sizeof path, "%s/people.csv", folder);
    write_file(path, csv, strlen(csv));
    snprintf(request, sizeof request, "{\"v\":1,\"operation\":\"import\",\"path\":\"%s\"}", path);
    EXPECT(ask(session, request, &answer, &error), UMPIN_OK);
    CHECK(strstr(answer, "\"mailboxesCreated\":") != NULL);
    free(answer);
}

/* The folder that the program may fill: its only argument. */
static inline const char *sandbox(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: %s <empty folder>\n", argv[0]);
        exit(2);
    }
    return argv[1];
}

static inline int finished(const char *name) {
    printf("%s: %u checks passed\n", name, checks_made);
    return 0;
}

static const char PEOPLE[] =
    "DistinguishedName,Name,Alias,SamAccountName,UserPrincipalName,PrimarySmtpAddress,UMEnabled,Extensions\n"
    "\"CN=Tony Smith,OU=Sales,DC=contoso,DC=com\",Tony Smith,tonysmith,tsmith,tonysmith@contoso.com,tonysmith@contoso.com,true,42710\n"
    "\"CN=Kim Akers,OU=Sales,DC=contoso,DC=com\",Kim Akers,kima,kakers,kima@contoso.com,kima@contoso.com,true,42711\n"
    "\"CN=Pat Coleman,OU=Sales,DC=contoso,DC=com\",Pat Coleman,patc,pcoleman,patc@contoso.com,patc@contoso.com,true,42712\n"
    "\"CN=Pat Coleman,OU=Support,DC=contoso,DC=com\",Pat Coleman,patc2,pcoleman2,patc2@contoso.com,patc2@contoso.com,true,42713\n"
    "\"CN=Jeff Hay,OU=Support,DC=contoso,DC=com\",Jeff Hay,jeffh,jhay,jeffh@contoso.com,jeffh@contoso.com,false,\n"
    "\"CN=Reception,OU=Support,DC=contoso,DC=com\",Reception,reception,reception,reception@contoso.com,,true,42714\n";

#endif

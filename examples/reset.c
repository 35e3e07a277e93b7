/*
 * Resets a telephone PIN, locks or unlocks a mailbox, or shows its state or the audit log.
 *
 *   cc -I include examples/reset.c -L target/release -lumpin -Wl,-rpath,target/release -o reset
 *
 *   ./reset /abs/data --import /abs/people.csv      fill the store
 *   ./reset /abs/data tonysmith@contoso.com         a generated PIN
 *   ./reset /abs/data tonysmith@contoso.com 1985848 this PIN
 *   ./reset /abs/data --lock tonysmith@contoso.com  no sign-in until the next reset or --unlock; the PIN stays
 *   ./reset /abs/data --show tonysmith@contoso.com  state
 *   ./reset /abs/data --audit                       who changed what, the latest entries last
 */
#include <stdio.h>
#include <string.h>

#include "umpin.h"

/* Escapes a text for a JSON string. Returns 0 if it has control characters or is too long. */
static int quoted(char *to, size_t size, const char *text) {
    size_t at = 0;
    for (; *text != '\0'; ++text) {
        if ((unsigned char)*text < ' ' || at + 3 > size)
            return 0;
        if (*text == '"' || *text == '\\')
            to[at++] = '\\';
        to[at++] = *text;
    }
    to[at] = '\0';
    return 1;
}

/* `{"v":1,<fields up to the value>"<value>"}` */
static int request(char *to, size_t size, const char *fields, const char *value) {
    char text[1024];
    int length;
    if (!quoted(text, sizeof text, value))
        return 0;
    length = snprintf(to, size, "{\"v\":1,%s\"%s\"}", fields, text);
    return length > 0 && (size_t)length < size;
}

static void print(const char *what, umpin_buffer *buffer) {
    const uint8_t *data = NULL;
    size_t length = 0;
    if (umpin_buffer_data(buffer, &data, &length) == UMPIN_OK)
        printf("%s%.*s\n", what, (int)length, (const char *)data);
    umpin_buffer_free(buffer);
}

static int failed(umpin_error *error) {
    const uint8_t *data = NULL;
    size_t length = 0;
    if (umpin_error_message(error, &data, &length) == UMPIN_OK)
        fprintf(stderr, "%.*s\n", (int)length, (const char *)data);
    if (umpin_error_recommended_action(error, &data, &length) == UMPIN_OK)
        fprintf(stderr, "%.*s\n", (int)length, (const char *)data);
    umpin_error_free(error);
    return 1;
}

static int ask(const umpin_session *session, const char *json) {
    umpin_request *pending = NULL;
    umpin_buffer *response = NULL;
    umpin_error *error = NULL;
    umpin_status_t status = umpin_request_new(session, (const uint8_t *)json, strlen(json), &pending, &error);
    if (status == UMPIN_OK) {
        do
            status = umpin_request_wait(pending, 200, &response, &error);
        while (status == UMPIN_PENDING);
    }
    umpin_request_free(pending);
    if (status != UMPIN_OK)
        return failed(error);
    print("", response);
    return 0;
}

static int change(const umpin_session *session, const char *json, const char *pin) {
    umpin_plan *plan = NULL;
    umpin_buffer *response = NULL;
    umpin_error *error = NULL;
    umpin_status_t status =
        umpin_plan_new(session, (const uint8_t *)json, strlen(json), (const uint8_t *)pin, pin == NULL ? 0 : strlen(pin), &plan, &error);
    if (status == UMPIN_OK) {
        do
            status = umpin_plan_commit(plan, 200, &response, NULL, &error);
        while (status == UMPIN_PENDING);
    }
    umpin_plan_free(plan);
    if (status != UMPIN_OK)
        return failed(error);
    print("done: ", response);
    return 0;
}

int main(int argc, char **argv) {
    char json[2048];
    umpin_session *session = NULL;
    umpin_error *error = NULL;
    int result = 2;

    if (argc < 3 || argc > 4) {
        fprintf(stderr, "usage: %s DATA-DIRECTORY (--import FILE | --lock WHO | --unlock WHO | --show WHO | --audit | WHO [PIN])\n", argv[0]);
        return 2;
    }
    if (umpin_abi_version() != UMPIN_ABI_VERSION) {
        fprintf(stderr, "the library and the header have different ABI versions\n");
        return 2;
    }
    if (!request(json, sizeof json, "\"application\":\"examples/reset.c\",\"dataDirectory\":", argv[1]))
        return 2;
    if (umpin_session_open((const uint8_t *)json, strlen(json), &session, &error) != UMPIN_OK)
        return failed(error);

    if (argc == 4 && strcmp(argv[2], "--import") == 0) {
        if (request(json, sizeof json, "\"operation\":\"import\",\"path\":", argv[3]))
            result = ask(session, json);
    } else if (argc == 4 && strcmp(argv[2], "--show") == 0) {
        if (request(json, sizeof json, "\"operation\":\"pinInfo\",\"identity\":", argv[3]))
            result = ask(session, json);
    } else if (argc == 4 && strcmp(argv[2], "--lock") == 0) {
        if (request(json, sizeof json, "\"keepPin\":true,\"lockedOut\":true,\"identity\":", argv[3]))
            result = change(session, json, NULL);
    } else if (argc == 4 && strcmp(argv[2], "--unlock") == 0) {
        if (request(json, sizeof json, "\"keepPin\":true,\"lockedOut\":false,\"identity\":", argv[3]))
            result = change(session, json, NULL);
    } else if (argc == 3 && strcmp(argv[2], "--audit") == 0) {
        result = ask(session, "{\"v\":1,\"operation\":\"audit\"}");
    } else if (request(json, sizeof json, "\"identity\":", argv[2])) {
        result = change(session, json, argc == 4 ? argv[3] : NULL);
    }
    umpin_session_free(session);
    return result;
}

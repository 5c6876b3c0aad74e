/*
 * Errors of a server: libpq talks to us, we say the fields of an error, a line each: its
 * letter and its text.
 */
#include "fuzz.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/buf.h"
#include "db/error.h"

static char dir[] = "/tmp/pgcrew-fuzz.XXXXXX", path[64], info[128];
static int server = -1;
static PGconn *conn;

static void
clean_up(void)
{
    PQfinish(conn);
    unlink(path);
    rmdir(dir);
}

static int
start_listening(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    must(mkdtemp(dir) != NULL);
    snprintf(path, sizeof(path), "%s/.s.PGSQL.5432", dir);
    snprintf(info, sizeof(info), "host=%s port=5432 user=u dbname=d gssencmode=disable", dir);
    atexit(clean_up);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    must(bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, 1) == 0);
    return fd;
}

/* libpq's side does not block while there is something for it to do. */
static void
start(void)
{
    static const char welcome[] = "R\0\0\0\10\0\0\0\0"
                                  "Z\0\0\0\5I";
    int listener = start_listening();
    PostgresPollingStatusType how = PGRES_POLLING_WRITING;

    conn = PQconnectStart(info);
    must(conn != NULL && PQstatus(conn) != CONNECTION_BAD);
    while (how != PGRES_POLLING_OK) {
        how = PQconnectPoll(conn);
        must(how != PGRES_POLLING_FAILED);
        if (how == PGRES_POLLING_READING && server < 0) {
            server = accept(listener, NULL, NULL);
            must(send(server, welcome, sizeof(welcome) - 1, 0) == sizeof(welcome) - 1);
        }
    }
    close(listener);
}

static void
add_error(struct input *in, struct buf *ret)
{
    AUTO(buf) struct buf fields = {0};
    uint32_t len;

    while (in->left > 0) {
        char *line = take_line(in);

        if (line[0] != '\0')
            buf_add(&fields, line, strlen(line) + 1);
        free(line);
    }
    buf_add(&fields, "", 1);
    len = htonl((uint32_t)fields.len + 4);
    buf_add(ret, "E", 1);
    buf_add(ret, &len, sizeof(len));
    buf_add(ret, fields.data, fields.len);
    buf_add(ret, "Z\0\0\0\5I", 6);
}

static void
look(const PGresult *res, bool is_text)
{
    struct err err = {0};
    const char *sqlstate = PQresultErrorField(res, PG_DIAG_SQLSTATE);

    must(!db_error_of_result(&err, res));
    must_say(&err);
    must(sqlstate != NULL || err.class == ERR_UNCERTAIN);
    /* It becomes the error of a job whose handler is a SQL function: half a character must not. */
    must(!is_text || is_utf8(err.text, strlen(err.text)));
    must(strlen(err.sqlstate) < sizeof(err.sqlstate));
    must(sqlstate != NULL || db_error_ends_session(res));
    err = (struct err){0};
    must(!db_error_of_connection(&err, conn, true));
    must_say(&err);
    must(strchr(err.text, '\n') == NULL);
}

static void
fuzz(const char *data, size_t len)
{
    struct input in = {data, len};
    AUTO(buf) struct buf answer = {0};
    char question[64];
    PGresult *res;

    if (conn == NULL)
        start();
    if (len > 50000)
        return;
    add_error(&in, &answer);
    must(send(server, answer.data, answer.len, 0) == (ssize_t)answer.len);
    res = PQexec(conn, "q");
    must(recv(server, question, sizeof(question), 0) > 0);
    must(PQresultStatus(res) == PGRES_FATAL_ERROR);
    look(res, is_utf8(data, len));
    PQclear(res);
}

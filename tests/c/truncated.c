/* Asks two feeds in a loop that tests/truncation/writer.rs truncates, refills,
 * replaces and deletes meanwhile; each answer must be that of one moment.
 *
 *     ./truncated FOLDER mmap|pread|host
 *
 * It goes on until FOLDER/stop is there, adds a byte to FOLDER/right for each
 * right answer, and prints how often each kind of answer came. With `host` the
 * program has a SIGBUS handler of its own, and a thread that runs into faults
 * of its own all the while.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <emonfeed.h>

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Those of tests/truncation/writer.rs. */
enum { FIRST = 1000000, STEP = 10, MOST_ROWS = 62000, WINDOW = 60 };

static long rows_of(long round) {
    return 2000 + round * 7919 % 60000;
}

static bool always_whole(bool is_table, long round) {
    return is_table || round % 7 == 0 || round % 7 == 3;
}

/* Kinds of answers: a status, or one of these. */
enum { EMPTY = 100, PART, WHOLE, FIGURES, KINDS };
static long tally[KINDS];

static void wrong(const char *what) {
    printf("WRONG: %s\n", what);
    exit(1);
}

/* So many rows, all of that round. */
static int judge(bool is_table, double round, long rows) {
    if (rows == 0)
        return EMPTY;
    if (round < 1 || round != (double)(long)round)
        wrong("a value that no round wrote");
    long whole = rows_of((long)round);
    if (rows > whole)
        wrong("more rows than their round wrote");
    if (rows < whole && always_whole(is_table, (long)round))
        wrong("a part of what was never there in part");
    return rows == whole ? WHOLE : PART;
}

static int judge_sums(bool is_table, const emonfeed_point *points, size_t n) {
    if (n == 0)
        return EMPTY;
    if (n == 1 && is_table)
        wrong("a part of what was never there in part");
    if (n == 1)
        return PART;
    double round = points[0].value / WINDOW;
    for (size_t i = 0; i < n; i++) {
        if (points[i].time != FIRST + (int64_t)i * WINDOW * STEP)
            wrong("a window is missing");
        if (i + 1 < n && points[i].value != round * WINDOW)
            wrong("sums of two moments in one answer");
    }
    double last = points[n - 1].value / round;
    if (last < 1 || last > WINDOW || last != (double)(long)last)
        wrong("a last sum of two moments");
    return judge(is_table, round, (long)(n - 1) * WINDOW + (long)last);
}

static int judge_rows(bool is_table, const emonfeed_point *points, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (points[i].time != FIRST + (int64_t)i * STEP)
            wrong("a row is missing");
        if (points[i].value != points[0].value)
            wrong("rows of two moments in one answer");
    }
    return judge(is_table, n ? points[0].value : 0, (long)n);
}

static int judge_last(bool is_table, const emonfeed_point *points, size_t n) {
    return n == 0 ? EMPTY : judge(is_table, points[0].value, (long)(points[0].time - FIRST) / STEP + 1);
}

static int judge_meta(const emonfeed_meta *meta) {
    if (meta->npoints == 0)
        return EMPTY;
    if (meta->start_time != FIRST || meta->end_time != FIRST + ((int64_t)meta->npoints - 1) * STEP)
        wrong("figures of two moments");
    return FIGURES;
}

/* How many steps the writer has done. */
static int counter;

static uint64_t steps(void) {
    unsigned char bytes[8];
    uint64_t count = 0;
    if (pread(counter, bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        wrong("no steps");
    for (int i = 7; i >= 0; i--)
        count = count << 8 | bytes[i];
    return count;
}

/* Whether it is an error of files that change, or that were left half done by a
 * writer that stood still meanwhile. */
static bool is_named(emonfeed_status status, uint64_t before) {
    if (status == EMONFEED_STATUS_DAMAGED || status == EMONFEED_STATUS_ENGINE)
        return steps() <= before + 1;
    return status == EMONFEED_STATUS_CHANGED || status == EMONFEED_STATUS_NOT_FOUND ||
           status == EMONFEED_STATUS_MISSING_DEFINITION;
}

/* Opens the feed, puts one question, and says what came. */
static int ask(const char *path, bool is_table, uint32_t flags, long question) {
    emonfeed_feed *feed = NULL;
    emonfeed_series *series = NULL;
    emonfeed_error *error = NULL;
    emonfeed_meta meta;
    uint64_t before = steps();
    emonfeed_status status = emonfeed_feed_open(path, flags, &feed, &error);
    if (status == EMONFEED_STATUS_OK) {
        switch (question) {
        case 0:
            status = emonfeed_feed_windows(feed, FIRST, FIRST + MOST_ROWS * STEP, WINDOW * STEP, EMONFEED_SUM,
                                           EMONFEED_SKIP_MISSING, &series, &error);
            break;
        case 1:
            status = emonfeed_feed_rows(feed, 0, INT64_MAX, 0, &series, &error);
            break;
        case 2:
            status = emonfeed_feed_last(feed, &series, &error);
            break;
        default:
            status = emonfeed_feed_meta(feed, &meta, &error);
        }
    }
    int kind = status;
    if (status == EMONFEED_STATUS_OK) {
        const emonfeed_point *points = series ? emonfeed_series_points(series) : NULL;
        size_t n = series ? emonfeed_series_len(series) : 0;
        kind = question == 0   ? judge_sums(is_table, points, n)
               : question == 1 ? judge_rows(is_table, points, n)
               : question == 2 ? judge_last(is_table, points, n)
                               : judge_meta(&meta);
    } else if (!is_named(status, before)) {
        wrong(emonfeed_error_message(error));
    }
    emonfeed_series_free(series);
    emonfeed_feed_free(feed);
    emonfeed_error_free(error);
    return kind;
}

/* The program's own faults: of this thread, when it is about to touch this
 * page. */
static _Thread_local volatile char *own_page;
static _Thread_local sigjmp_buf back;
static atomic_long foreign;
static atomic_bool stopping;

static void host_handler(int signal_number, siginfo_t *info, void *context) {
    static const char message[] = "WRONG: a fault of the library reached the program\n";
    (void)signal_number;
    (void)context;
    if (own_page && info->si_addr == (void *)own_page)
        siglongjmp(back, 1);
    ssize_t written = write(STDOUT_FILENO, message, sizeof message - 1);
    (void)written;
    _exit(1);
}

/* Touches a page behind the end of its file, again and again. */
static void *run_into_faults(void *page) {
    own_page = page;
    while (!stopping) {
        if (sigsetjmp(back, 1) == 0) {
            char byte = *own_page;
            (void)byte;
            wrong("a fault that did not happen");
        }
        foreign++;
        usleep(100);
    }
    return NULL;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: %s FOLDER mmap|pread|host\n", argv[0]);
        return 2;
    }
    bool host = strcmp(argv[2], "host") == 0;
    uint32_t flags = strcmp(argv[2], "pread") == 0 ? EMONFEED_OPEN_PREAD : 0;
    char bare[4096], table[4096], stop[4096], right[4096], empty[4096], count[4096];
    snprintf(bare, sizeof bare, "%s/feed_1.MYD", argv[1]);
    snprintf(table, sizeof table, "%s/feed_2.MYD", argv[1]);
    snprintf(stop, sizeof stop, "%s/stop", argv[1]);
    snprintf(right, sizeof right, "%s/right", argv[1]);
    snprintf(empty, sizeof empty, "%s/empty", argv[1]);
    snprintf(count, sizeof count, "%s/steps", argv[1]);
    counter = open(count, O_RDONLY);
    int progress = open(right, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (progress < 0 || counter < 0)
        return 1;

    pthread_t thread;
    if (host) {
        struct sigaction action;
        memset(&action, 0, sizeof action);
        action.sa_sigaction = host_handler;
        action.sa_flags = SA_SIGINFO;
        int file = open(empty, O_RDWR | O_CREAT, 0600);
        void *page = mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), PROT_READ, MAP_SHARED, file, 0);
        if (sigaction(SIGBUS, &action, NULL) != 0 || file < 0 || page == MAP_FAILED ||
            pthread_create(&thread, NULL, run_into_faults, page) != 0)
            return 1;
    }

    for (long i = 0; access(stop, F_OK) != 0; i++) {
        bool is_table = i % 2;
        int kind = ask(is_table ? table : bare, is_table, flags, i / 2 % 4);
        tally[kind]++;
        if (kind >= EMPTY && write(progress, ".", 1) != 1)
            return 1;
    }

    stopping = true;
    if (host && pthread_join(thread, NULL) != 0)
        return 1;
    for (int kind = 0; kind < EMPTY; kind++)
        if (tally[kind])
            printf("status_%d %ld\n", kind, tally[kind]);
    printf("empty %ld\npart %ld\nwhole %ld\nfigures %ld\nforeign %ld\n", tally[EMPTY], tally[PART], tally[WHOLE],
           tally[FIGURES], (long)foreign);
    return 0;
}

/* Processes that fork while they use the library, as Apache and PHP-FPM do:
 * parent and children go on, whatever other threads were about to do.
 *
 *     ./fork FORKS FEED.MYD
 *
 * FEED.MYD is a bare feed whose values are all 1; it may grow meanwhile. Other
 * threads ask all the time and open and close feeds, so that nearly every fork
 * finds one of them in the middle of something.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <emonfeed.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 3
#define IDLE 20
/* A call that hangs would for ever; nothing here takes seconds. */
#define FOR_EVER 30

static const char *path;
static emonfeed_feed *shared;
static atomic_int over, wrong, asked;

/* Whether `feed` answers, and rightly. */
static int ask(const emonfeed_feed *feed) {
    emonfeed_meta meta;
    emonfeed_series *series = NULL;
    if (emonfeed_feed_meta(feed, &meta, NULL) != EMONFEED_STATUS_OK ||
        emonfeed_feed_windows(feed, meta.start_time, meta.end_time,
                              meta.end_time - meta.start_time + 1, EMONFEED_AVERAGE, 0,
                              &series, NULL) != EMONFEED_STATUS_OK)
        return 0;
    int right = emonfeed_series_len(series) == 1 &&
                emonfeed_series_points(series)[0].value == 1.0;
    emonfeed_series_free(series);
    return right;
}

/* The same with a feed of one's own. */
static int ask_anew(uint32_t flags) {
    emonfeed_feed *own = NULL;
    if (emonfeed_feed_open(path, flags, &own, NULL) != EMONFEED_STATUS_OK)
        return 0;
    int right = ask(own);
    emonfeed_feed_free(own);
    return right;
}

static void *work(void *unused) {
    for (uint32_t round = 0; !over; round++) {
        wrong += !ask(shared);
        /* Another key of the cache each time: opens, maps, reads. */
        wrong += !ask_anew(round % 4 * EMONFEED_OPEN_NOFOLLOW);
        asked += 2;
    }
    return unused;
}

/* What a child is for: 0 if all went well. */
static int child(int depth) {
    alarm(FOR_EVER);
    for (int i = 0; i < 3; i++)
        if (!ask(shared) || !ask_anew(0) || !ask_anew(EMONFEED_OPEN_PREAD))
            return 1;
    /* A child's child. */
    if (depth > 0) {
        pid_t grandchild = fork();
        if (grandchild == 0)
            _exit(child(depth - 1));
        int status;
        if (grandchild < 0 || waitpid(grandchild, &status, 0) != grandchild || status != 0)
            return 2;
        if (!ask(shared))
            return 3;
    }
    return 0;
}

/* A child that holds what it got at the fork and does nothing, until the parent
 * closes the other end or ends. */
static pid_t idle_until(const int end[2]) {
    pid_t pid = fork();
    if (pid == 0) {
        char none;
        close(end[1]);
        _exit(read(end[0], &none, 1) != 0);
    }
    return pid;
}

/* Whether a writer gets the lock of a bare feed. There must be no reader. */
static int is_free(void) {
    int file = open(path, O_RDWR);
    int got = file >= 0 && flock(file, LOCK_EX | LOCK_NB) == 0;
    close(file);
    return got;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: %s FORKS FEED.MYD\n", argv[0]);
        return 2;
    }
    path = argv[2];
    if (emonfeed_feed_open(path, 0, &shared, NULL) != EMONFEED_STATUS_OK || !ask(shared))
        return 1;

    /* Alone: the child goes on with what the parent knows. */
    int bad = 0;
    for (int forks = 0; forks < 10; forks++) {
        pid_t pid = fork();
        if (pid == 0)
            _exit(child(2));
        int status;
        bad += !ask(shared);
        if (waitpid(pid, &status, 0) != pid || status != 0)
            bad++;
    }
    printf("alone: %d wrong\n", bad);

    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, work, NULL) != 0)
            return 1;
    int count = atoi(argv[1]), hung = 0;
    bad = 0;
    int forks = 0;
    for (; forks < count && !hung; forks++) {
        /* Not all at the same moment of a call. */
        for (int before = asked + forks % 3; asked < before;)
            ;
        pid_t pid = fork();
        if (pid == 0)
            _exit(child(forks % 10 == 0));
        int status;
        if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
            bad++;
            hung += WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
        }
    }
    /* Children that do nothing must not keep a writer from the lock that a thread
     * held when they were forked, once that thread is done with it. */
    int end[2], started = 0, ended = 0;
    pid_t idle[IDLE];
    if (pipe(end) != 0)
        return 1;
    for (; started < IDLE && (idle[started] = idle_until(end)) > 0; started++)
        ;
    alarm(FOR_EVER);
    over = 1;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    int got = is_free();
    close(end[1]);
    for (int i = 0; i < started; i++) {
        int status;
        ended += waitpid(idle[i], &status, 0) == idle[i] && status == 0;
    }
    printf("beside threads: %d forks, %d wrong, %d hung, %d wrong in the parent\n", forks,
           bad, hung, (int)wrong);
    printf("%d idle children: %s\n", ended, got ? "writers get the lock" : "no lock");
    emonfeed_feed_free(shared);
    return 0;
}

// Figures: a table for people after each benchmark, and one tab-separated line a figure at the end.
#define _GNU_SOURCE
#include "bench.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct row {
    const char *benchmark, *unit;
    char *subject, *name;
    double value, limit;
    enum limit kind;
};

static struct row *rows;
static size_t count, printed;
static const char *current = "";
static int failures;

void report_title(const char *benchmark, const char *format, ...) {
    current = strdup(benchmark);
    va_list arguments;
    va_start(arguments, format);
    printf("\n%s: ", benchmark);
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
    fflush(stdout);
}

void report_note(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    printf("  ");
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
    fflush(stdout);
}

void report_failure(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    printf("  FAILED: ");
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
    fflush(stdout);
    failures++;
}

void figure(const char *subject, const char *name, double value, const char *unit, enum limit kind, double limit) {
    rows = realloc(rows, (count + 1) * sizeof *rows);
    if (!rows) abort();
    rows[count++] = (struct row){.benchmark = current,
                                 .unit = unit,
                                 .subject = strdup(subject),
                                 .name = strdup(name),
                                 .value = value,
                                 .limit = limit,
                                 .kind = kind};
}

static const char *verdict(const struct row *row) {
    if (row->kind == NO_LIMIT) return "";
    bool kept = row->kind == AT_MOST ? row->value <= row->limit : row->value >= row->limit;
    return kept ? "ok" : "OVER";  // also for NAN: a figure that could not be taken keeps no limit
}

static char *number(double value) {
    if (isnan(value)) return strdup("-");
    double size = fabs(value);
    if (size >= 1000 || value == rint(value)) return text("%.0f", value);
    return text("%.*f", size >= 100 ? 1 : size >= 0.1 ? 2 : 4, value);
}

void report_table(void) {
    int subjects = 7, names = 6;
    for (size_t index = printed; index < count; index++) {
        int subject = (int)strlen(rows[index].subject), name = (int)strlen(rows[index].name);
        if (subject > subjects) subjects = subject;
        if (name > names) names = name;
    }
    printf("  %-*s  %-*s  %10s  %-14s %-10s\n", subjects, "subject", names, "figure", "value", "unit", "limit");
    for (; printed < count; printed++) {
        const struct row *row = &rows[printed];
        char *value = number(row->value), *limit = number(row->limit);
        printf("  %-*s  %-*s  %10s  %-14s ", subjects, row->subject, names, row->name, value, row->unit);
        if (row->kind != NO_LIMIT) printf("%s %-7s %s", row->kind == AT_MOST ? "<=" : ">=", limit, verdict(row));
        printf("\n");
        free(value);
        free(limit);
    }
    fflush(stdout);
}

int report_finish(void) {
    printf("\n# benchmark\tsubject\tfigure\tvalue\tunit\tlimit\tverdict\n");
    int over = 0;
    for (size_t index = 0; index < count; index++) {
        const struct row *row = &rows[index];
        printf("figure\t%s\t%s\t%s\t%.9g\t%s\t", row->benchmark, row->subject, row->name, row->value, row->unit);
        if (row->kind != NO_LIMIT) printf("%s%.9g", row->kind == AT_MOST ? "<=" : ">=", row->limit);
        printf("\t%s\n", verdict(row));
        over += strcmp(verdict(row), "OVER") == 0;
    }
    printf("\n%d over their limit, %d could not be taken\n", over, failures);
    return failures ? 2 : over ? 1 : 0;
}

static int ascending(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

double median(const double *values, size_t number_of) {
    double *sorted = malloc((number_of + 1) * sizeof *sorted);
    if (!sorted) abort();
    size_t kept = 0;
    for (size_t index = 0; index < number_of; index++)
        if (!isnan(values[index])) sorted[kept++] = values[index];
    qsort(sorted, kept, sizeof *sorted, ascending);
    double result = kept == 0 ? NAN : kept % 2 ? sorted[kept / 2] : (sorted[kept / 2 - 1] + sorted[kept / 2]) / 2;
    free(sorted);
    return result;
}

double largest(const double *values, size_t number_of) {
    double result = NAN;
    for (size_t index = 0; index < number_of; index++)
        if (isnan(result) || values[index] > result) result = values[index];
    return result;
}

/*
 * The C yardstick of `npm run bench -- whatif`: breadth first and Dijkstra (binary heap) from scratch over the same graph
 * in compressed rows. Reads unsigned 32-bit little-endian words: nodes, half-edges, roots, then from[nodes + 1], to[],
 * cost of coming back[], root[]. Prints CPU time: microseconds per BFS, reached, microseconds per Dijkstra, sum of distances.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint32_t nodes, halves, roots;
static uint32_t *from, *to, *cost, *root;
static uint32_t *queue;
static uint8_t *seen;
static uint64_t *distance;
static struct entry { uint64_t far; uint32_t node; } *heap;
static uint32_t size;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static uint32_t bfs(void) {
  uint32_t tail = 0;
  memset(seen, 0, nodes);
  for (uint32_t i = 0; i < roots; i++) { seen[root[i]] = 1; queue[tail++] = root[i]; }
  for (uint32_t head = 0; head < tail; head++) {
    uint32_t n = queue[head];
    for (uint32_t h = from[n]; h < from[n + 1]; h++)
      if (!seen[to[h]]) { seen[to[h]] = 1; queue[tail++] = to[h]; }
  }
  return tail;
}

static void push(uint64_t far, uint32_t node) {
  uint32_t at = size++;
  while (at > 0 && heap[(at - 1) / 2].far > far) { heap[at] = heap[(at - 1) / 2]; at = (at - 1) / 2; }
  heap[at].far = far;
  heap[at].node = node;
}

static struct entry pop(void) {
  struct entry top = heap[0], last = heap[--size];
  uint32_t at = 0;
  for (;;) {
    uint32_t child = 2 * at + 1;
    if (child >= size) break;
    if (child + 1 < size && heap[child + 1].far < heap[child].far) child++;
    if (heap[child].far >= last.far) break;
    heap[at] = heap[child];
    at = child;
  }
  heap[at] = last;
  return top;
}

static uint64_t dijkstra(void) {
  uint64_t sum = 0;
  memset(seen, 0, nodes);
  for (uint32_t n = 0; n < nodes; n++) distance[n] = UINT64_MAX;
  for (uint32_t i = 0; i < roots; i++) { distance[root[i]] = 0; push(0, root[i]); }
  while (size > 0) {
    struct entry top = pop();
    if (seen[top.node]) continue;
    seen[top.node] = 1;
    sum += top.far;
    for (uint32_t h = from[top.node]; h < from[top.node + 1]; h++)
      if (top.far + cost[h] < distance[to[h]]) { distance[to[h]] = top.far + cost[h]; push(distance[to[h]], to[h]); }
  }
  return sum;
}

static int compare(const void *a, const void *b) {
  return *(const double *)a < *(const double *)b ? -1 : *(const double *)a > *(const double *)b;
}

int main(void) {
  enum { ROUNDS = 101 };
  static double taken[ROUNDS];
  uint32_t head[3];
  if (fread(head, 4, 3, stdin) != 3) return 1;
  nodes = head[0]; halves = head[1]; roots = head[2];
  uint32_t words = nodes + 1 + 2 * halves + roots;
  from = malloc(4ull * words);
  if (!from || fread(from, 4, words, stdin) != words) return 1;
  to = from + nodes + 1; cost = to + halves; root = cost + halves;
  queue = malloc(4ull * nodes); seen = malloc(nodes); distance = malloc(8ull * nodes);
  heap = malloc(sizeof *heap * (halves + roots + 1ull));
  if (!queue || !seen || !distance || !heap) return 1;
  uint32_t reached = 0;
  uint64_t sum = 0;
  for (int i = 0; i < ROUNDS; i++) { double start = now(); reached = bfs(); taken[i] = now() - start; }
  qsort(taken, ROUNDS, sizeof *taken, compare);
  double bfs_us = taken[ROUNDS / 2];
  for (int i = 0; i < ROUNDS; i++) { double start = now(); sum = dijkstra(); taken[i] = now() - start; }
  qsort(taken, ROUNDS, sizeof *taken, compare);
  printf("%.2f %u %.2f %llu\n", bfs_us, reached, taken[ROUNDS / 2], (unsigned long long)sum);
  return 0;
}

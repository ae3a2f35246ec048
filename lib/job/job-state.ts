/**
 * The states of a job. Every arrow is one conditional statement that carries the job's id and fence.
 *
 *            enqueue(delay)                      enqueue
 *                 │                                 │
 *                 ▼             due                 ▼            claim (fence + 1)
 *            scheduled ──────────────────────────► waiting ───────────────────────────► running
 *                 ▲                                 ▲                                    │ │ │
 *                 │                                 │  release, rescue, continue now     │ │ │
 *                 │                                 └────────────────────────────────────┘ │ │
 *                 │          retry after its wait, continue later                          │ │
 *                 └────────────────────────────────────────────────────────────────────────┘ │
 *                                                                                            ▼
 *                                                                       succeeded | failed | cancelled
 *
 * @publicApi
 */
export type JobState = 'scheduled' | 'waiting' | 'running' | 'succeeded' | 'failed' | 'cancelled';

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
 * With `ack: 'manual'` the handler's return is not yet the end:
 *
 *                                      the handler returns                finish(), fail(), cancel
 *            running, with its handler ───────────────────► running, delivered ───────────────► succeeded | failed | cancelled
 *                 │        ▲                                  │   ▲  └── processing(): its time begins anew
 *                 │        │ claim (fence + 1)    ackTimeout, │   │ processing(), before the claim
 *                 │        │                        retry + 1 ▼   │
 *                 │        └───────────────────────────── waiting, delivered ────────────────► succeeded | failed | cancelled
 *                 │                                                         finish(), fail(), cancel
 *                 └── finish(), fail(), while it runs ─────────────────────► succeeded | failed
 *
 * @publicApi
 */
export type JobState = 'scheduled' | 'waiting' | 'running' | 'succeeded' | 'failed' | 'cancelled';

export const ENDED_STATES: readonly JobState[] = ['succeeded', 'failed', 'cancelled'];

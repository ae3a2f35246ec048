import { describe, expect, it } from '@jest/globals';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { BoardFacts } from '../../../lib/dashboard/board/board-facts.js';
import type { BoardQueue } from '../../../lib/dashboard/board/board-queue.js';
import { Board } from '../../../lib/dashboard/board/board.js';
import { readDashboardOptions } from '../../../lib/dashboard/read-dashboard-options.js';

describe('the board', () => {
  it('has answered when whoever asked had left before it began', async () => {
    const facts = { types: () => Promise.resolve([]) } as Partial<BoardFacts> as BoardFacts;
    const board = new Board(readDashboardOptions({ open: true }), facts, {} as BoardQueue);
    const request = new IncomingMessage(new Socket());
    const response = new ServerResponse(request);
    response.destroy();
    const mount = { base: '/queues', path: '/api/queues', search: '' };
    await expect(board.answer(request, response, mount, undefined)).resolves.toBeUndefined();
  });
});

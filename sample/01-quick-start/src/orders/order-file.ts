import { readFileSync } from 'node:fs';

export interface IncomingOrder {
  number: string;
  customer: string;
  email: string;
  total: number;
  /** A declined card rolls the order back. */
  card?: 'accepted' | 'declined' | undefined;
}

/** No control characters and no halves of a character. */
const TEXT = /^[^\p{Cc}\p{Cs}]{1,255}$/u;

/** What is wrong with an order file, for people. */
export class OrderFileError extends Error {
  override readonly name = 'OrderFileError';
}

/** @throws OrderFileError when the file cannot be read, or is not a JSON array of orders. */
export function readOrders(file: string): IncomingOrder[] {
  const orders = parse(file);
  if (!Array.isArray(orders) || orders.length === 0) {
    throw new OrderFileError(`${file}: expected a JSON array of orders`);
  }
  const numbers = new Set<unknown>();
  return orders.map((order: unknown, index) => {
    const fault = faultOf(order, numbers);
    if (fault !== undefined) throw new OrderFileError(`${file}: order ${index + 1} of ${orders.length}: ${fault}`);
    // Nothing else from the file: an "id", for example, would overwrite another order.
    const { number, customer, email, total, card } = order as IncomingOrder;
    return { number, customer, email, total, card };
  });
}

function parse(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    const problem = error instanceof SyntaxError ? 'is not JSON' : 'cannot be read';
    throw new OrderFileError(`${file} ${problem}: ${(error as Error).message}`, { cause: error });
  }
}

function faultOf(order: unknown, numbers: Set<unknown>): string | undefined {
  if (typeof order !== 'object' || order === null) return 'expected an object';
  const { number, customer, email, total, card = 'accepted' } = order as Record<string, unknown>;
  for (const [field, value] of Object.entries({ number, customer, email })) {
    if (typeof value !== 'string' || !TEXT.test(value)) return `'${field}' must be a text of 1 to 255 characters`;
  }
  if (typeof total !== 'number' || total < 0) return `'total' must be a number of 0 or more`;
  if (card !== 'accepted' && card !== 'declined') return `'card' must be 'accepted' or 'declined'`;
  if (numbers.has(number)) return `number ${String(number)} is there twice`;
  numbers.add(number);
  return undefined;
}

import { describe } from '@jest/globals';
import { killContract, MOMENTS, STEPS } from '../support/kill.contract.js';

/** Each step around one of its moments, the transactional ones before and after their commit; test/proof has all of them. */
const kills = STEPS.map((step, index) => ({ step, moment: MOMENTS[(index + 2) % MOMENTS.length] ?? 'during' }));

describe('kill -9 before, during or after the commit of each of five steps', () => killContract(kills));

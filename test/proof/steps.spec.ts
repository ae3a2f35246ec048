import { describe } from '@jest/globals';
import { killContract, MOMENTS, STEPS } from '../support/kill.contract.js';

const kills = STEPS.flatMap((step) => MOMENTS.map((moment) => ({ step, moment })));

describe('kill -9 before, during and after the commit of each of five steps', () => killContract(kills));

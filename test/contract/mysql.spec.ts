import { jobRepositoryContract } from './job-repository.contract.js';

jobRepositoryContract('mysql');

import { jobRepositoryContract } from './job-repository.contract.js';

// The tables as they are made on a server from before 8.0.17, whose collations cannot tell all names apart.
jobRepositoryContract('mysql', '8.0.13');

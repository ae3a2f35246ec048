/** What the READMEs of the systems that this one follows name, and what their users have to find again in our pages. */
export const SEED_PAGES: Record<string, readonly string[]> = {
  'docs/from-persistent-queue.md': words(`
    ServiceName JobType NeedRetry MaxRetries WaitTime WorkerPoolCapacity WorkerExpirySecond WorkerExpiry
    Db FirstPullDay QueueMaxSize LoadLimit HandleJobFunc MaxId Operation ShedLockConfig Session DB Key
    LockSecond MinLockSecond Init AddAsyncJob JobParams StartTime QueueLog LoadJobs HandleJob
    BatchUpdateJobs NextExecuteTime Config retries Success Failed Continue Retry TryLock Lock
    LockWithTimeout ExtendFailed Unlock id params job_type job_status start_time create_time update_time
    lock_name lock_until locked_at locked_by Exec Query Ping Close
  `),
  'docs/from-qtask.md': words(`
    Create invoke Delay WithDeadline WithDeleteDeadline WithMaxCount WithOrderNO task_id Redis MQC
    NewQueue S Processing Finish Config WithDBName WithQueueName install oracle
  `),
  'docs/from-aps-go.md': words(`
    task task_execute id task_key execute_func spec params is_valid status extra desc create_at
    update_at task_id trace_id ready doing producer consumer toml
  `),
  'docs/from-vtask.md': words(`
    Register Step H RetryTimes RetryPeriod StepDesc JustOnce AlwaysRetry InvokeAsyncJob JobName
    InputData Keyword JobID Start SetDataBase JobStorage GetNeedWorkEmployees Record Put Get GetByID
    GetByIDs FetchEmployeeByKeyword UpdateRestartInfo Destroy id uuid name step status responses input
    host create_time update_time
  `),
};

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}

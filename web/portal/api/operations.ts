// Printed from docs/reference/openapi.json by `npm run docs`: every operation of the API, and every named value, as types.

export type Article = { readonly number: string; readonly title: string; readonly summary: string; readonly locale: string; readonly version: number; readonly locales: readonly (string)[]; readonly blocks: readonly ({ readonly kind: "heading"; readonly level: number; readonly id: string; readonly runs: readonly (HelpRun)[] } | { readonly kind: "paragraph"; readonly runs: readonly (HelpRun)[] } | { readonly kind: "note"; readonly runs: readonly (readonly (HelpRun)[])[] } | { readonly kind: "code"; readonly text: string } | { readonly kind: "list"; readonly isOrdered: boolean; readonly items: readonly ({ readonly depth: number; readonly runs: readonly (HelpRun)[]; readonly code: string | null })[] } | { readonly kind: "table"; readonly head: readonly (readonly (HelpRun)[])[]; readonly rows: readonly (readonly (readonly (HelpRun)[])[])[] })[] };

export type ArticleBrief = { readonly number: string; readonly title: string; readonly summary: string; readonly locale: string; readonly version: number };

export type AuditCheck = { readonly isWhole: boolean; readonly rows: number | null; readonly unsealed: number | null; readonly hash: string | null; readonly brokenAt: number | null; readonly reason: string | null };

export type AuditRow = { readonly sequence: number; readonly at: string; readonly actor: string; readonly face: string | null; readonly address: string | null; readonly action: string; readonly subject: string; readonly detail: string };

export type BrokerKey = { readonly fingerprint: string; readonly userId: string; readonly certificate: string };

export type Change = { readonly kind: "notice" | "statement" | "delivery" | "request" | "key" | "address" | "connection" | "refusal" | "receipt" | "run" | "deletion" | "client" | "sign_in" | "preferences"; readonly id: string | null };

export type Client = { readonly id: string; readonly kind: "person" | "institution"; readonly name: string; readonly email: string | null; readonly locale: string; readonly state: "active" | "suspended" | "closed"; readonly stateReason: string | null; readonly accountNumbers: readonly (string)[]; readonly logins: readonly ({ readonly id: string; readonly login: string; readonly isSetUp: boolean })[]; readonly createdAt: string };

export type ClientBrief = { readonly id: string; readonly name: string; readonly accountNumbers: readonly (string)[] };

export type Deletion = { readonly number: number; readonly clientId: string; readonly what: "file" | "portal_copy" | "partial_upload"; readonly why: "retention" | "withdrawn"; readonly path: string; readonly sha256: string | null; readonly sizeBytes: number; readonly statementId: string | null; readonly placedAt: string; readonly deletedAt: string; readonly hash: string };

export type DeletionCheck = { readonly isWhole: boolean; readonly rows: number | null; readonly brokenAt: number | null };

export type Delivery = { readonly channels: { readonly sftp: boolean; readonly portal: boolean; readonly ftp: boolean; readonly email: boolean }; readonly contact: string | null; readonly encryption: "off" | "on"; readonly connection: { readonly state: "none" | "elected" | "waiting_for_keys" | "checking" | "refused" | "waiting_for_confirmation" | "waiting_for_approval" | "configured" | "proven" | "suspended" | "closed"; readonly reason: string | null; readonly userName: string | null; readonly configuredAt: string | null; readonly provenAt: string | null }; readonly yourAddress: string };

export type DeliveryAddress = { readonly id: string; readonly clientId: string | null; readonly network: string; readonly state: "submitted" | "confirmed" | "approved" | "active" | "removed"; readonly reason: string | null; readonly submittedAt: string; readonly activatedAt: string | null; readonly removedAt: string | null };

export type DeliveryInstructions = { readonly hostName: string; readonly port: number; readonly userName: string | null; readonly hostKeys: readonly ({ readonly algorithm: string; readonly fingerprint: string; readonly line: string })[]; readonly knownHosts: readonly (string)[]; readonly sftpCommand: string; readonly psftpCommand: string; readonly lftpCommand: string; readonly sshConfig: string; readonly fileZillaSites: string; readonly gpgCommand: string; readonly systems: readonly ({ readonly system: "linux" | "macos" | "windows"; readonly commands: readonly ({ readonly step: "make_key" | "show_key" | "trust_host" | "connect" | "fetch_all" | "decrypt"; readonly command: string })[] })[]; readonly warning: string };

export type DeliveryKeys = { readonly encryption: "off" | "on"; readonly sshKeys: readonly (SshKey)[]; readonly openPgpKeys: readonly (OpenPgpKey)[]; readonly warning: string };

export type DeliveryLogIn = { readonly userName: string; readonly password: string };

export type DeliveryRequest = { readonly id: string; readonly clientId: string; readonly kind: "set_up" | "new_key" | "re_key" | "new_address"; readonly channel: "portal" | "desk" | "mail"; readonly state: "open" | "in_work" | "done" | "refused"; readonly reason: string | null; readonly reasonCode: "key_unconfirmed" | "address_unconfirmed" | "address_shared" | "client_not_reached" | "handed_in_twice" | "incomplete" | "asked_by_client" | "other" | null; readonly sshKeys: readonly (SshKey)[]; readonly openPgpKeys: readonly (OpenPgpKey)[]; readonly addresses: readonly (DeliveryAddress)[]; readonly awaiting: readonly (string)[]; readonly approvalsNeeded: number; readonly approvalsGiven: number; readonly openedAt: string; readonly confirmedAt: string | null; readonly dueAt: string; readonly takenAt: string | null; readonly approvedAt: string | null; readonly finishedAt: string | null; readonly businessSeconds: number; readonly isLate: boolean; readonly warning: string };

export type DeliverySubmission = { readonly key?: string; readonly purpose?: "replace" | "add"; readonly expiresAt?: string; readonly addresses?: readonly (string)[] };

export type DeliveryView = { readonly delivery: Delivery; readonly keys: DeliveryKeys; readonly requests: readonly (DeliveryRequest)[]; readonly addresses: readonly (DeliveryAddress)[]; readonly connections: readonly (SftpConnection)[]; readonly refusals: readonly (RefusedConnection)[] };

export type DeskRequest = { readonly id: string; readonly clientId: string; readonly kind: "set_up" | "new_key" | "re_key" | "new_address"; readonly channel: "portal" | "desk" | "mail"; readonly state: "open" | "in_work" | "done" | "refused"; readonly reason: string | null; readonly reasonCode: "key_unconfirmed" | "address_unconfirmed" | "address_shared" | "client_not_reached" | "handed_in_twice" | "incomplete" | "asked_by_client" | "other" | null; readonly sshKeys: readonly (SshKey)[]; readonly openPgpKeys: readonly (OpenPgpKey)[]; readonly addresses: readonly (DeliveryAddress)[]; readonly awaiting: readonly (string)[]; readonly approvalsNeeded: number; readonly approvalsGiven: number; readonly openedAt: string; readonly confirmedAt: string | null; readonly dueAt: string; readonly takenAt: string | null; readonly approvedAt: string | null; readonly finishedAt: string | null; readonly businessSeconds: number; readonly isLate: boolean; readonly warning: string; readonly client: ClientBrief };

export type EndingKey = { readonly id: string; readonly clientId: string; readonly sort: "ssh" | "openpgp"; readonly state: string; readonly fingerprint: string; readonly expiresAt: string; readonly client: ClientBrief };

export type Entry = { readonly id: string | null; readonly path: string; readonly name: string; readonly kind: "file" | "folder"; readonly origin: "broker" | "client"; readonly sizeBytes: number; readonly sha256: string | null; readonly placedAt: string; readonly modifiedAt: string; readonly expiresAt: string | null; readonly statementId: string | null; readonly isPartial: boolean };

export type FailedWork = { readonly id: string; readonly sort: "job" | "event"; readonly name: string; readonly attempts: number; readonly fault: string; readonly since: string };

export type Health = { readonly isReady: boolean; readonly checks: readonly ({ readonly name: string; readonly state: "ok" | "failed" | "late" | "stopping" })[]; readonly version: string; readonly node: string; readonly now: string; readonly database: { readonly version: string; readonly sizeBytes: number }; readonly freeBytes: number | null; readonly workers: readonly (Worker)[]; readonly queues: { readonly jobsWaiting: number; readonly jobsFailed: number; readonly eventsWaiting: number; readonly eventsFailed: number; readonly oldestEventAt: string | null; readonly auditUnsealed: number } };

export type HelpRun = { readonly text: string; readonly form?: "strong" | "emphasis" | "code"; readonly href?: string };

export type Invitation = { readonly token: string; readonly expiresAt: string };

export type Issued = { readonly id: string; readonly name: string; readonly version: number; readonly sha256: string; readonly sizeBytes: number };

export type JobQueue = { readonly task: string; readonly waiting: number; readonly running: number; readonly failed: number; readonly nextAt: string | null };

export type JobQueues = { readonly queues: readonly (JobQueue)[] };

export type ManifestCheck = { readonly manifests: number; readonly faults: readonly ({ readonly manifest: string; readonly fault: string; readonly path: string | null })[] };

export type ManifestItem = { readonly number: number; readonly day: string; readonly path: string; readonly sha256: string; readonly isFinal: boolean; readonly madeAt: string };

export type Me = { readonly kind: "client" | "operator"; readonly id: string; readonly login: string; readonly name: string; readonly desks: readonly ("delivery" | "service" | "compliance" | "dealing" | "diagnostics" | "operations")[]; readonly accountNumbers: readonly (string)[]; readonly signInId: string | null; readonly preferences: Preferences };

export type Notice = { readonly id: string; readonly desk: "delivery" | "service" | "compliance" | "dealing" | "diagnostics" | "operations" | null; readonly kind: string; readonly params: Readonly<Record<string, string | number | boolean | null | readonly (string)[]>>; readonly text: string; readonly createdAt: string; readonly readAt: string | null };

export type OpenPgpKey = { readonly id: string; readonly state: "submitted" | "refused" | "checked" | "confirmed" | "imported" | "enabled" | "expiring" | "expired" | "replaced" | "revoked"; readonly purpose: "replace" | "add"; readonly fingerprint: string | null; readonly subkeyId: string | null; readonly algorithm: string | null; readonly userIds: readonly (string)[]; readonly cipher: "aes256" | "aes128" | null; readonly reason: string | null; readonly submittedAt: string; readonly importedAt: string | null; readonly enabledAt: string | null; readonly endedAt: string | null; readonly expiresAt: string | null };

export type Operator = { readonly id: string; readonly login: string; readonly name: string; readonly desks: readonly ("delivery" | "service" | "compliance" | "dealing" | "diagnostics" | "operations")[]; readonly state: "active" | "ended"; readonly isSetUp: boolean; readonly createdAt: string };

export type Preferences = { readonly locale: string | null; readonly timeZone: string | null; readonly theme: "system" | "light" | "dark" };

export type Problem = { readonly type: string; readonly title: string; readonly status: number; readonly detail: string; readonly code: string; readonly params: Readonly<Record<string, string | number | boolean | readonly (string)[]>>; readonly errors?: readonly ({ readonly pointer: string; readonly code: string; readonly detail: string })[]; readonly instance: string };

export type PurgePreview = { readonly files: number; readonly fileBytes: number; readonly portalCopies: number; readonly partialUploads: number; readonly isHeld: boolean; readonly lastPurgeAt: string | null; readonly now: string };

export type Receipt = { readonly id: string; readonly statementId: string | null; readonly form: "portal" | "delivered" | "upload" | "manifest"; readonly path: string; readonly sha256: string | null; readonly sizeBytes: number; readonly actor: string; readonly face: "https" | "sftp" | "ftp" | "console" | "system"; readonly address: string | null; readonly through: string | null; readonly keyFingerprint: string | null; readonly openedAt: string; readonly closedAt: string; readonly sentBytes: number; readonly ranges: readonly ({ readonly start: number; readonly end: number })[]; readonly isWhole: boolean; readonly isCut: boolean };

export type RefusedConnection = { readonly id: string; readonly reason: string; readonly cause: string; readonly whatToDo: string; readonly address: string | null; readonly clientId: string | null; readonly userName: string | null; readonly detail: Readonly<Record<string, string>>; readonly registeredFingerprints: readonly (string)[]; readonly count: number; readonly firstAt: string; readonly lastAt: string };

export type Run = { readonly id: string; readonly reference: string; readonly state: "receiving" | "refused" | "checked" | "running" | "done"; readonly isDryRun: boolean; readonly rows: { readonly total: number; readonly done: number; readonly failed: number; readonly waiting: number }; readonly askedBy: string; readonly begunAt: string; readonly checkedAt: string | null; readonly doneAt: string | null };

export type RunRow = { readonly row: number; readonly account: string; readonly kind: string; readonly period: string; readonly file: string; readonly state: "waiting" | "issued" | "failed" | "refused"; readonly code: string | null; readonly detail: string | null; readonly statementId: string | null; readonly delivery: "waiting" | "placed" | null };

export type Series = { readonly stepSeconds: number; readonly points: readonly ({ readonly at: string; readonly answers: number; readonly refused: number; readonly failed: number; readonly connections: number; readonly streams: number; readonly rssBytes: number; readonly lagMs: number })[] };

export type SftpConnection = { readonly id: string; readonly clientId: string; readonly address: string; readonly fingerprint: string; readonly openedAt: string; readonly endedAt: string | null; readonly endReason: string | null; readonly clientSoftware: string | null; readonly kex: string | null; readonly hostKeyAlgorithm: string | null; readonly cipher: string | null; readonly mac: string | null; readonly bytesIn: number | null; readonly bytesOut: number | null };

export type SignIn = { readonly id: string; readonly sort: "password" | "token"; readonly name: string | null; readonly address: string | null; readonly isCurrent: boolean; readonly createdAt: string; readonly usedAt: string; readonly expiresAt: string; readonly endedAt: string | null };

export type Space = { readonly usedBytes: number; readonly quotaBytes: number; readonly usedEntries: number; readonly quotaEntries: number };

export type SshKey = { readonly id: string; readonly state: "submitted" | "refused" | "checked" | "confirmed" | "approved" | "active" | "replaced" | "revoked" | "expired"; readonly purpose: "replace" | "add"; readonly algorithm: string | null; readonly bits: number | null; readonly fingerprint: string | null; readonly comment: string | null; readonly reason: string | null; readonly submittedAt: string; readonly activatedAt: string | null; readonly endedAt: string | null; readonly expiresAt: string | null };

export type Statement = { readonly id: string; readonly clientId: string; readonly accountNumber: string; readonly kind: string; readonly periodFrom: string; readonly periodTo: string; readonly name: string; readonly title: string | null; readonly version: number; readonly sizeBytes: number; readonly sha256: string; readonly state: "available" | "expired" | "withdrawn"; readonly issuedAt: string; readonly expiresAt: string | null; readonly withdrawn: { readonly at: string; readonly reason: string } | null; readonly delivery: { readonly state: "waiting"; readonly waitsFor: "connection" | "usable_key" | "encryption"; readonly since: string } | { readonly state: "placed"; readonly path: string; readonly isEncrypted: boolean; readonly certificateFingerprint: string | null; readonly subkeyId: string | null; readonly sizeBytes: number; readonly sha256: string; readonly placedAt: string; readonly expiresAt: string } | null };

export type Timeline = { readonly steps: readonly (TimelineStep)[] };

export type TimelineStep = { readonly step: "issued" | "waiting" | "encrypted" | "published" | "fetched" | "withdrawn" | "expired" | "expires"; readonly at: string; readonly waitsFor?: string; readonly certificateFingerprint?: string; readonly subkeyId?: string; readonly reason?: string; readonly receipt?: Receipt };

export type Upload = { readonly id: string; readonly clientId: string; readonly path: string; readonly sizeBytes: number; readonly sha256: string; readonly uploadedAt: string; readonly expiresAt: string };

export type Worker = { readonly id: string; readonly host: string; readonly pid: number; readonly version: string; readonly startedAt: string; readonly seenAt: string; readonly isSilent: boolean; readonly rssBytes: number; readonly lagMs: number; readonly connections: number; readonly streams: number };

export interface Operations {
  GET: {
    '/v1/address': { answer: { readonly address: string } };
    '/v1/refusals/{code}': { params: { readonly code: string }; answer: { readonly code: string; readonly status: number; readonly text: string } };
    '/v1/sign-ins': { query: { readonly limit?: number | undefined; readonly cursor?: string | undefined }; answer: { readonly items: readonly (SignIn)[]; readonly next: string | null }; item: SignIn };
    '/v1/me': { answer: Me };
    '/v1/clients': { query: { readonly state?: "active" | "suspended" | "closed" | undefined; readonly search?: string | undefined; readonly limit?: number | undefined; readonly cursor?: string | undefined }; answer: { readonly items: readonly (Client)[]; readonly next: string | null }; item: Client };
    '/v1/clients/{clientId}': { params: { readonly clientId: string }; answer: Client };
    '/v1/operators': { query: { readonly limit?: number | undefined; readonly cursor?: string | undefined }; answer: { readonly items: readonly (Operator)[]; readonly next: string | null }; item: Operator };
    '/v1/notices': { query: { readonly unread?: "true" | "false" | undefined; readonly limit?: number | undefined; readonly cursor?: string | undefined }; answer: { readonly items: readonly (Notice)[]; readonly next: string | null }; item: Notice };
    '/v1/events': { query: { readonly client?: string | undefined; readonly since?: string | undefined } };
    '/v1/delivery': { answer: Delivery };
    '/v1/delivery/instructions': { answer: DeliveryInstructions };
    '/v1/delivery/filezilla.xml': {  };
    '/v1/delivery/requests': { query: { readonly limit?: number | undefined; readonly cursor?: string | undefined }; answer: { readonly items: readonly (DeliveryRequest)[]; readonly next: string | null }; item: DeliveryRequest };
    '/v1/delivery/keys': { answer: DeliveryKeys };
    '/v1/delivery/addresses': { query: { readonly clientId?: string | undefined; readonly all?: "true" | "false" | undefined; readonly limit?: number | undefined; readonly cursor?: string | undefined }; answer: { readonly items: readonly (DeliveryAddress)[]; readonly next: string | null }; item: DeliveryAddress };
    '/v1/delivery/requests/{requestId}': { params: { readonly requestId: string }; answer: DeliveryRequest };
    '/v1/delivery-desk/requests': { query: { readonly state?: "open" | "in_work" | "done" | "refused" | "unfinished" | undefined; readonly clientId?: string | undefined; readonly limit?: number | undefined; readonly cursor?: string | undefined }; answer: { readonly items: readonly (DeskRequest)[]; readonly next: string | null }; item: DeskRequest };
    '/v1/delivery-desk/queue': { query: { readonly waitsFor?: "desk" | "client" | undefined; readonly limit?: number | undefined; readonly cursor?: string | undefined }; answer: { readonly items: readonly (DeskRequest)[]; readonly next: string | null }; item: DeskRequest };
    '/v1/clients/{clientId}/delivery': { params: { readonly clientId: string }; answer: Delivery };
    '/v1/clients/{clientId}/delivery/keys': { params: { readonly clientId: string }; answer: DeliveryKeys };
    '/v1/delivery-desk/ending-keys': { query: { readonly withinDays?: number | undefined; readonly limit?: number | undefined; readonly cursor?: string | undefined }; answer: { readonly items: readonly (EndingKey)[]; readonly next: string | null }; item: EndingKey };
    '/v1/delivery-desk/blocks': { query: { readonly limit?: number | undefined; readonly cursor?: string | undefined }; answer: { readonly items: readonly (DeliveryAddress)[]; readonly next: string | null }; item: DeliveryAddress };
    '/v1/delivery-desk/allow-list.nft': {  };
    '/v1/clients/{clientId}/delivery/view': { params: { readonly clientId: string }; answer: DeliveryView };
    '/v1/delivery/refusals': { query: { readonly clientId?: string | undefined; readonly limit?: number | undefined; readonly cursor?: string | undefined }; answer: { readonly items: readonly (RefusedConnection)[]; readonly next: string | null }; item: RefusedConnection };
    '/v1/delivery/connections': { query: { readonly clientId?: string | undefined; readonly limit?: number | undefined; readonly cursor?: string | undefined }; answer: { readonly items: readonly (SftpConnection)[]; readonly next: string | null }; item: SftpConnection };
    '/v1/statements': { query: { readonly account?: string | undefined; readonly kind?: string | undefined; readonly from?: string | undefined; readonly to?: string | undefined; readonly limit?: number | undefined; readonly cursor?: string | undefined }; answer: { readonly items: readonly (Statement)[]; readonly next: string | null }; item: Statement };
    '/v1/statements/archive': { query: { readonly ids: string } };
    '/v1/statements/{statementId}': { params: { readonly statementId: string }; answer: Statement };
    '/v1/statements/{statementId}/file': { params: { readonly statementId: string } };
    '/v1/statements/{statementId}/delivered': { params: { readonly statementId: string } };
    '/v1/statements/{statementId}/timeline': { params: { readonly statementId: string }; answer: Timeline };
    '/v1/delivery-desk/statements': { query: { readonly client?: string | undefined; readonly account?: string | undefined; readonly kind?: string | undefined; readonly from?: string | undefined; readonly to?: string | undefined; readonly limit?: number | undefined; readonly cursor?: string | undefined }; answer: { readonly items: readonly (Statement)[]; readonly next: string | null }; item: Statement };
    '/v1/runs': { query: { readonly limit?: number | undefined; readonly cursor?: string | undefined }; answer: { readonly items: readonly (Run)[]; readonly next: string | null }; item: Run };
    '/v1/runs/{runId}': { params: { readonly runId: string }; answer: Run };
    '/v1/runs/{runId}/rows': { params: { readonly runId: string }; query: { readonly state?: "waiting" | "issued" | "failed" | "refused" | undefined; readonly limit?: number | undefined; readonly cursor?: string | undefined }; answer: { readonly items: readonly (RunRow)[]; readonly next: string | null }; item: RunRow };
    '/v1/runs/{runId}/outcomes.csv': { params: { readonly runId: string } };
    '/v1/broker-key': { answer: BrokerKey };
    '/v1/receipts': { query: { readonly client?: string | undefined; readonly limit?: number | undefined; readonly cursor?: string | undefined }; answer: { readonly items: readonly (Receipt)[]; readonly next: string | null }; item: Receipt };
    '/v1/manifests': { query: { readonly client?: string | undefined; readonly limit?: number | undefined; readonly cursor?: string | undefined }; answer: { readonly items: readonly (ManifestItem)[]; readonly next: string | null }; item: ManifestItem };
    '/v1/deletions': { query: { readonly client?: string | undefined; readonly limit?: number | undefined; readonly cursor?: string | undefined }; answer: { readonly items: readonly (Deletion)[]; readonly next: string | null }; item: Deletion };
    '/v1/retention': { answer: PurgePreview };
    '/v1/repository/entries': { query: { readonly path: string; readonly limit?: number | undefined; readonly cursor?: string | undefined }; answer: { readonly items: readonly (Entry)[]; readonly next: string | null }; item: Entry };
    '/v1/repository/entry': { query: { readonly path: string }; answer: Entry };
    '/v1/repository/file': { query: { readonly path: string } };
    '/v1/repository/space': { answer: Space };
    '/v1/delivery-desk/uploads': { query: { readonly client?: string | undefined; readonly limit?: number | undefined; readonly cursor?: string | undefined }; answer: { readonly items: readonly (Upload)[]; readonly next: string | null }; item: Upload };
    '/v1/delivery-desk/uploads/{entryId}/file': { params: { readonly entryId: string } };
    '/v1/help/articles': { query: { readonly q?: string | undefined; readonly locale?: string | undefined; readonly limit?: number | undefined; readonly cursor?: string | undefined }; answer: { readonly items: readonly (ArticleBrief)[]; readonly next: string | null }; item: ArticleBrief };
    '/v1/help/articles/{number}': { params: { readonly number: string }; query: { readonly locale?: string | undefined }; answer: Article };
    '/v1/operations/health': { answer: Health };
    '/v1/operations/jobs': { answer: JobQueues };
    '/v1/operations/failed': { query: { readonly limit?: number | undefined; readonly cursor?: string | undefined }; answer: { readonly items: readonly (FailedWork)[]; readonly next: string | null }; item: FailedWork };
    '/v1/operations/audit': { query: { readonly subject?: string | undefined; readonly actor?: string | undefined; readonly limit?: number | undefined; readonly cursor?: string | undefined }; answer: { readonly items: readonly (AuditRow)[]; readonly next: string | null }; item: AuditRow };
    '/v1/operations/series': { query: { readonly hours?: number | undefined }; answer: Series };
  };
  POST: {
    '/v1/sign-ins': { body: { readonly login: string; readonly password: string; readonly deliver?: "cookie" | "token" }; answer: { readonly me: Me; readonly expiresAt: string; readonly token: string | null } };
    '/v1/tokens': { body: { readonly name: string; readonly expiresInDays: number; readonly password: string }; answer: { readonly id: string; readonly token: string; readonly expiresAt: string } };
    '/v1/invitations/accept': { body: { readonly token: string; readonly password: string }; answer: { readonly login: string; readonly kind: "client" | "operator" } };
    '/v1/password': { body: { readonly currentPassword: string; readonly newPassword: string } };
    '/v1/clients': { body: { readonly kind: "person" | "institution"; readonly name: string; readonly login: string; readonly email?: string; readonly accountNumbers: readonly (string)[]; readonly locale?: string }; answer: { readonly clientId: string; readonly loginId: string; readonly invitation: Invitation } };
    '/v1/clients/{clientId}/suspend': { params: { readonly clientId: string }; body: { readonly reason: string } };
    '/v1/clients/{clientId}/resume': { params: { readonly clientId: string }; body: { readonly reason: string } };
    '/v1/clients/{clientId}/close': { params: { readonly clientId: string }; body: { readonly reason: string } };
    '/v1/clients/{clientId}/accounts': { params: { readonly clientId: string }; body: { readonly accountNumber: string }; answer: { readonly accountId: string } };
    '/v1/clients/import/check': { body: Blob; answer: { readonly rows: number } };
    '/v1/clients/import': { body: Blob; answer: { readonly clients: readonly ({ readonly row: number; readonly clientId: string; readonly login: string; readonly invitation: Invitation })[] } };
    '/v1/clients/{clientId}/logins': { params: { readonly clientId: string }; body: { readonly login: string }; answer: { readonly loginId: string; readonly invitation: Invitation } };
    '/v1/logins/{loginId}/reset': { params: { readonly loginId: string }; answer: Invitation };
    '/v1/operators': { body: { readonly login: string; readonly name: string; readonly desks: readonly ("delivery" | "service" | "compliance" | "dealing" | "diagnostics" | "operations")[] }; answer: { readonly operatorId: string; readonly loginId: string; readonly invitation: Invitation } };
    '/v1/operators/{operatorId}/end': { params: { readonly operatorId: string } };
    '/v1/notices/{noticeId}/read': { params: { readonly noticeId: string } };
    '/v1/delivery/close': { answer: Delivery };
    '/v1/delivery/requests': { body: DeliverySubmission; answer: DeliveryRequest };
    '/v1/delivery/keys': { query: { readonly purpose?: "replace" | "add" | undefined; readonly expiresAt?: string | undefined }; body: Blob; answer: DeliveryRequest };
    '/v1/delivery/addresses': { body: { readonly addresses: readonly (string)[] }; answer: DeliveryRequest };
    '/v1/delivery/requests/{requestId}/confirm': { params: { readonly requestId: string }; body: { readonly shown: readonly (string)[]; readonly password: string }; answer: DeliveryRequest };
    '/v1/delivery/keys/{keyId}/end': { params: { readonly keyId: string }; body: { readonly reason?: string }; answer: DeliveryKeys };
    '/v1/delivery/addresses/{entryId}/remove': { params: { readonly entryId: string }; body: { readonly reason?: string } };
    '/v1/delivery-desk/requests/{requestId}/take': { params: { readonly requestId: string }; answer: DeliveryRequest };
    '/v1/delivery-desk/requests/{requestId}/approve': { params: { readonly requestId: string }; answer: DeliveryRequest };
    '/v1/delivery-desk/requests/{requestId}/decline': { params: { readonly requestId: string }; body: { readonly code?: "key_unconfirmed" | "address_unconfirmed" | "address_shared" | "client_not_reached" | "handed_in_twice" | "incomplete" | "asked_by_client" | "other"; readonly reason?: string }; answer: DeliveryRequest };
    '/v1/clients/{clientId}/delivery/requests': { params: { readonly clientId: string }; body: DeliverySubmission; answer: DeliveryRequest };
    '/v1/clients/{clientId}/delivery/log-in': { params: { readonly clientId: string }; answer: DeliveryLogIn };
    '/v1/clients/{clientId}/delivery/configured': { params: { readonly clientId: string }; answer: Delivery };
    '/v1/clients/{clientId}/delivery/resume': { params: { readonly clientId: string }; answer: Delivery };
    '/v1/clients/{clientId}/delivery/close': { params: { readonly clientId: string }; answer: Delivery };
    '/v1/clients/{clientId}/delivery/suspend': { params: { readonly clientId: string }; body: { readonly reason: string }; answer: Delivery };
    '/v1/delivery-desk/blocks': { body: { readonly network: string }; answer: DeliveryAddress };
    '/v1/delivery/test-file': { answer: Issued };
    '/v1/delivery-desk/statements': { query: { readonly account: string; readonly kind: string; readonly period: string; readonly file: string; readonly title?: string | undefined; readonly sha256?: string | undefined }; body: Blob; answer: Issued };
    '/v1/delivery-desk/statements/{statementId}/withdraw': { params: { readonly statementId: string }; body: { readonly reason: string } };
    '/v1/clients/{clientId}/delivery/test-file': { params: { readonly clientId: string }; answer: Issued };
    '/v1/runs': { query: { readonly reference: string; readonly dryRun?: boolean | undefined }; body: Blob; answer: Run };
    '/v1/manifests/check': { body: { readonly client?: string }; answer: ManifestCheck };
    '/v1/deletions/check': { answer: DeletionCheck };
    '/v1/retention/clock': {  };
    '/v1/repository/folders': { body: { readonly path: string } };
    '/v1/repository/moves': { body: { readonly from: string; readonly to: string; readonly replace?: boolean } };
    '/v1/operations/failed/{workId}/retry': { params: { readonly workId: string } };
    '/v1/operations/audit/check': { answer: AuditCheck };
  };
  PUT: {
    '/v1/preferences': { body: Preferences; answer: Preferences };
    '/v1/operators/{operatorId}/desks': { params: { readonly operatorId: string }; body: { readonly desks: readonly ("delivery" | "service" | "compliance" | "dealing" | "diagnostics" | "operations")[] } };
    '/v1/delivery': { body: { readonly sftp: boolean; readonly portal: boolean; readonly ftp?: boolean; readonly email?: boolean; readonly contact?: string }; answer: Delivery };
    '/v1/delivery/encryption': { body: { readonly encryption: "off" | "on" }; answer: DeliveryKeys };
    '/v1/repository/file': { query: { readonly path: string }; body: Blob; answer: Entry };
  };
  DELETE: {
    '/v1/sign-ins/current': {  };
    '/v1/sign-ins/{signInId}': { params: { readonly signInId: string } };
    '/v1/logins/{loginId}': { params: { readonly loginId: string } };
    '/v1/delivery-desk/blocks/{entryId}': { params: { readonly entryId: string } };
    '/v1/repository/file': { query: { readonly path: string } };
    '/v1/repository/folder': { query: { readonly path: string } };
  };
}

"""Which facts and which function decide each command: the whole behaviour of MediaNest in one table."""

from medianest.domain import accounts, downloads, requests, services
from medianest.domain.command import Command, Decision

DECISIONS: dict[type[Command], Decision] = {
    accounts.LogIn: Decision(accounts.LoginFacts, accounts.log_in),
    accounts.RefuseLogin: Decision(accounts.RefusalFacts, accounts.refuse_login),
    accounts.EndSession: Decision(accounts.AccountFacts, accounts.end_session),
    accounts.EndOtherSessions: Decision(accounts.AccountFacts, accounts.end_other_sessions),
    accounts.ChangeRole: Decision(accounts.AccountFacts, accounts.change_role),
    accounts.SuspendAccount: Decision(accounts.AccountFacts, accounts.suspend),
    accounts.ReinstateAccount: Decision(accounts.AccountFacts, accounts.reinstate),
    accounts.EraseAccount: Decision(accounts.AccountFacts, accounts.erase),
    services.ObserveService: Decision(services.ServiceFacts, services.observe_service),
    requests.SubmitRequest: Decision(requests.SubmissionFacts, requests.submit),
    requests.ApproveRequest: Decision(requests.RequestFacts, requests.approve),
    requests.DeclineRequest: Decision(requests.RequestFacts, requests.decline),
    requests.CancelRequest: Decision(requests.RequestFacts, requests.cancel),
    requests.RetryRequest: Decision(requests.RequestFacts, requests.retry),
    requests.RecordSent: Decision(requests.RequestFacts, requests.record_sent),
    requests.RecordDeferred: Decision(requests.RequestFacts, requests.record_deferred),
    requests.RecordFailed: Decision(requests.RequestFacts, requests.record_failed),
    requests.RecordRelayed: Decision(requests.RequestFacts, requests.record_relayed),
    requests.ObserveRequest: Decision(requests.RequestFacts, requests.observe),
    requests.SetQuota: Decision(requests.QuotaFacts, requests.set_quota),
    requests.SetDefaultQuota: Decision(requests.QuotaFacts, requests.set_default_quota),
    downloads.SubmitDownload: Decision(downloads.SubmissionFacts, downloads.submit),
    downloads.CancelDownload: Decision(downloads.DownloadFacts, downloads.cancel),
    downloads.RetryDownload: Decision(downloads.DownloadFacts, downloads.retry),
    downloads.RecordStarted: Decision(downloads.DownloadFacts, downloads.record_started),
    downloads.RecordDeferred: Decision(downloads.DownloadFacts, downloads.record_deferred),
    downloads.RecordStored: Decision(downloads.DownloadFacts, downloads.record_stored),
    downloads.RecordFailed: Decision(downloads.DownloadFacts, downloads.record_failed),
    downloads.RecordScanAsked: Decision(downloads.DownloadFacts, downloads.record_scan_asked),
    downloads.RecordInPlex: Decision(downloads.DownloadFacts, downloads.record_in_plex),
    downloads.RecordCollected: Decision(downloads.DownloadFacts, downloads.record_collected),
}

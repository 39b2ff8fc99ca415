"""What came of a sign-in at a provider, in English: a sentence for each code, and one for any other."""

from collections.abc import Mapping

_AGAIN = "start the sign-in again from the account in popfetch"

FAILURES: Mapping[str, str] = {
    "consent_refused": (
        "popfetch may not open the mailbox: consent was not given, or not for all that it needs, or it came too late. "
        f"If you want to consent, {_AGAIN}, and allow all that is asked. Where the provider does not let you, whoever "
        "administers the mailbox may have to allow it first."
    ),
    "sign_in_refused": (
        "You signed in, but the account's mail server does not accept that sign-in. Perhaps it was for another "
        f"mailbox: {_AGAIN}, and sign in as the very mailbox that the account is for. If you did, see in the "
        "provider's settings whether POP is switched on; whoever administers the mailbox may have to allow it."
    ),
    "token_endpoint_unavailable": f"The provider did not answer as it should. Wait a few minutes, then {_AGAIN}.",
    "oauth_client_refused": (
        "The provider does not accept popfetch itself, so that nobody can sign in there at present. This is not your "
        "doing: tell whoever runs popfetch for you, as only they can put it right."
    ),
    "oauth_not_configured": (
        "popfetch is not registered at this provider yet, so that nobody can sign in there. This is not your doing: "
        "tell whoever runs popfetch for you, as only they can put it right."
    ),
    "account_not_found": (
        "The account that you signed in for is not in popfetch any more. If you want its mail collected, add it again."
    ),
    "account_changed": (
        f"The account was changed elsewhere at the same moment. See whether it is as you want it, then {_AGAIN}."
    ),
    "invalid_account": (
        "The account's servers do not go with this sign-in any more: they belong to another provider, or the "
        f"connection to them is not protected. Correct host and security of the account in popfetch, then {_AGAIN}."
    ),
    "account_already_added": (
        "Another account of yours in popfetch is for the same mailbox already. Use that one; if you want this one, "
        f"remove the other, then {_AGAIN}."
    ),
    "host_refused": (
        "popfetch does not connect to a server that the account names: there is no such name, or it leads to an "
        f"address that is not allowed. Correct the host of the account in popfetch, then {_AGAIN}."
    ),
    "storage_unavailable": f"Something failed at popfetch. Wait a minute, then {_AGAIN}.",
}
"""Why a sign-in came to nothing, and what to do, by the error's code."""

OTHER_FAILURE = (
    "Something went wrong that is not known here more closely. Wait a few minutes, then "
    f"{_AGAIN}. If it happens again, tell whoever runs popfetch for you."
)
"""For a code that has no sentence of its own."""

TROUBLES: Mapping[str, str] = {
    "pop_not_enabled": (
        "POP is still switched off for this mailbox at the provider, so that no mail comes yet. Switch it on in the "
        "provider's settings, then choose “check now” for the account in popfetch."
    ),
    "sign_in_off": (
        "Mail cannot be sent yet: the outgoing server takes no sign-in of this kind here. See whether its port is "
        "right in popfetch, and whether sending by SMTP is switched on at the provider. Mail is collected all the same."
    ),
    "cannot_connect": (
        "One of the account's mail servers was not reached when popfetch tried it just now. If no mail comes, or none "
        "can be sent, see whether host, port and security of the account are right in popfetch."
    ),
    "tls_failed": (
        "With one of the account's mail servers there was no protected connection that can be trusted. If no mail "
        "comes, or none can be sent, see whether host, port and security of the account are right in popfetch; if they "
        "are, only the provider can put it right."
    ),
    "too_frequent": (
        "The mail server wants longer pauses between sign-ins, so that the first mail may take half an hour. There is "
        "nothing for you to do."
    ),
    "maildrop_busy": (
        "Another program is signed in to the mailbox just now. Close it, or wait: mail follows at the next check, once "
        "the mailbox is free."
    ),
    "server_error": (
        "One of the account's mail servers did not answer as it should when popfetch tried it just now. popfetch tries "
        "again by itself; if that does not help, see what the account shows in popfetch, or ask the provider."
    ),
    "sign_in_refused": (
        "Mail cannot be sent yet: the outgoing server has refused the sign-in. If you did not allow all that was "
        f"asked, {_AGAIN}. Otherwise see whether sending by SMTP is switched on at the provider, where whoever "
        "administers the mailbox may have to allow it. Mail is collected all the same."
    ),
}
"""What went wrong beside a consent that is kept, and what to do, by the trouble's code."""

OTHER_TROUBLE = (
    "Not all went well when popfetch tried the account's mail servers just now. Open the account in popfetch: it shows "
    "what is the matter, and how it goes on."
)
"""For a code that has no sentence of its own."""

"""The providers that popfetch knows, as they are in 2026, and nothing but data.

The order is the one in which owners see them. What differs from the usual is said; the usual is POP3 over TLS at port
995, SMTP over TLS at port 465, the full address as user name, the mailbox's password, and no known shortest interval.
"""

from popfetch.domain.account import Security
from popfetch.domain.provider import MailServer, OAuthProvider, Provider, SignInMethod, UsernameForm


def _pop3(host: str) -> MailServer:
    return MailServer(host, 995, Security.TLS)


def _smtp(host: str) -> MailServer:
    return MailServer(host, 465, Security.TLS)


def _submission(host: str) -> MailServer:
    return MailServer(host, 587, Security.STARTTLS)


_APP_PASSWORD = (SignInMethod.APP_PASSWORD,)
_APP_PASSWORD_OR_OAUTH = (SignInMethod.APP_PASSWORD, SignInMethod.OAUTH2)
_OAUTH = (SignInMethod.OAUTH2,)
_CODE = (SignInMethod.AUTHORIZATION_CODE,)

_PLAIN = "Sign in with your full address and the password of the mailbox."
_PLAIN_HOSTING = "Sign in with the full address of the mailbox and its own password, not that of your customer account."
_SWITCH_POP_ON = "Switch POP on in the settings of the mailbox on the web first; until then every sign-in is refused."


def _zoho(region: str, where: str, top: str) -> tuple[Provider, Provider]:
    """Zoho keeps each region's mailboxes apart; personal addresses and organisations have servers of their own."""
    suffix = f"_{region}" if region else ""
    place = f" ({where})" if where else ""
    methods = (SignInMethod.PASSWORD, SignInMethod.APP_PASSWORD)
    same_end = f"If you sign in on the web at another address than mail.zoho.{top}, take the hosts with that ending."
    return (
        Provider(
            id=f"zoho{suffix}",
            name=f"Zoho Mail{place}",
            domains=(f"zoho.{top}", f"zohomail.{top}"),
            incoming=_pop3(f"pop.zoho.{top}"),
            outgoing=_smtp(f"smtp.zoho.{top}"),
            sign_in_methods=methods,
            help=(
                "Free plans have no POP. Switch POP on in Zoho's mail settings, and with two-factor sign-in make an"
                f" app password. {same_end}"
            ),
        ),
        Provider(
            id=f"zoho_organisation{suffix}",
            name=f"Zoho Mail for organisations{place}",
            incoming=_pop3(f"poppro.zoho.{top}"),
            outgoing=_smtp(f"smtppro.zoho.{top}"),
            sign_in_methods=methods,
            mail_exchangers=(f"zoho.{top}",),
            help=(
                "Free plans have no POP. Your administrator may have to allow it; then switch POP on in Zoho's mail"
                f" settings, and with two-factor sign-in make an app password. {same_end}"
            ),
        ),
    )


PROVIDERS: tuple[Provider, ...] = (
    # More than one check in 10 minutes may be blocked.
    Provider(
        id="gmail",
        name="Gmail",
        domains=("gmail.com", "googlemail.com"),
        incoming=_pop3("pop.gmail.com"),
        outgoing=_smtp("smtp.gmail.com"),
        sign_in_methods=_APP_PASSWORD_OR_OAUTH,
        oauth_provider=OAuthProvider.GOOGLE,
        shortest_interval=10,
        other_hosts=("pop.googlemail.com",),
        help=(
            "Your normal password does not work here. Switch POP on in Gmail's settings, then sign in with Google where"
            " popfetch offers that, or turn on 2-Step Verification in your Google Account and make an app password for"
            " popfetch."
        ),
    ),
    Provider(
        id="google_workspace",
        name="Google Workspace",
        incoming=_pop3("pop.gmail.com"),
        outgoing=_smtp("smtp.gmail.com"),
        sign_in_methods=_APP_PASSWORD_OR_OAUTH,
        oauth_provider=OAuthProvider.GOOGLE,
        shortest_interval=10,
        mail_exchangers=("google.com", "googlemail.com"),
        help=(
            "Your normal password does not work here. Switch POP on in Gmail's settings, then sign in with Google where"
            " popfetch offers that, or make an app password; if neither is possible, ask your administrator to allow"
            " POP, and popfetch or app passwords."
        ),
    ),
    # 15 minutes is a precaution: "Exceeded the login limit for a 15 minute period" is what the servers say, and both
    # of Microsoft's kinds of mailboxes are at the same host.
    Provider(
        id="outlook_personal",
        name="Outlook.com",
        domains=("outlook.com", "hotmail.com", "live.com", "msn.com"),
        incoming=_pop3("outlook.office365.com"),
        outgoing=_submission("smtp-mail.outlook.com"),
        sign_in_methods=_OAUTH,
        oauth_provider=OAuthProvider.MICROSOFT,
        shortest_interval=15,
        mail_exchangers=("olc.protection.outlook.com",),
        other_hosts=("pop-mail.outlook.com", "pop3.live.com"),
        help=(
            "Passwords and app passwords no longer work here. Switch POP on in Outlook's settings under Forwarding"
            " and IMAP, then sign in with Microsoft."
        ),
    ),
    Provider(
        id="office365",
        name="Microsoft 365",
        incoming=_pop3("outlook.office365.com"),
        outgoing=_submission("smtp.office365.com"),
        sign_in_methods=_OAUTH,
        oauth_provider=OAuthProvider.MICROSOFT,
        shortest_interval=15,
        mail_exchangers=("mail.protection.outlook.com", "mx.microsoft"),
        help=(
            "Passwords no longer work here: sign in with Microsoft. If that is refused, ask your administrator to"
            " allow POP for your mailbox, and authenticated SMTP for sending."
        ),
    ),
    Provider(
        id="yahoo",
        name="Yahoo Mail",
        domains=("yahoo.com", "ymail.com", "rocketmail.com"),
        country_label="yahoo",
        incoming=_pop3("pop.mail.yahoo.com"),
        outgoing=_smtp("smtp.mail.yahoo.com"),
        sign_in_methods=_APP_PASSWORD,
        mail_exchangers=("yahoodns.net",),
        help=(
            "Your normal password does not work here. Make an app password in the security settings of your Yahoo"
            " account and enter it instead."
        ),
    ),
    Provider(
        id="yahoo_jp",
        name="Yahoo! JAPAN",
        domains=("yahoo.co.jp",),
        incoming=_pop3("pop.mail.yahoo.co.jp"),
        outgoing=_smtp("smtp.mail.yahoo.co.jp"),
        username=UsernameForm.LOCAL_PART,
        help=(
            "The user name is what stands before the @. Allow access by other mail programs in the settings of the"
            " mailbox first."
        ),
    ),
    Provider(
        id="aol",
        name="AOL Mail",
        domains=("aol.com", "aim.com", "verizon.net"),
        incoming=_pop3("pop.aol.com"),
        outgoing=_smtp("smtp.aol.com"),
        sign_in_methods=_APP_PASSWORD,
        mail_exchangers=("mx-aol.mail.gm0.yahoodns.net",),
        help=(
            "Your normal password does not work here. Make an app password in the security settings of your AOL"
            " account, and sign in with your full address."
        ),
    ),
    Provider(
        id="att",
        name="AT&T Mail",
        domains=("att.net", "sbcglobal.net", "bellsouth.net"),
        incoming=_pop3("inbound.att.net"),
        outgoing=_smtp("outbound.att.net"),
        sign_in_methods=_APP_PASSWORD,
        help=(
            "Your normal password does not work here. Make a secure mail key in the profile of your AT&T account and"
            " enter it as the password."
        ),
    ),
    Provider(
        id="comcast",
        name="Xfinity (Comcast)",
        domains=("comcast.net",),
        incoming=_pop3("mail.comcast.net"),
        outgoing=_smtp("smtp.comcast.net"),
        help=(
            "Comcast is moving its mailboxes to Yahoo Mail in phases. If the sign-in fails, see whether yours has"
            " moved; then take Yahoo's servers and a Yahoo app password."
        ),
    ),
    Provider(
        id="fastmail",
        name="Fastmail",
        domains=("fastmail.com", "fastmail.fm"),
        incoming=_pop3("pop.fastmail.com"),
        outgoing=_smtp("smtp.fastmail.com"),
        sign_in_methods=_APP_PASSWORD_OR_OAUTH,
        oauth_provider=OAuthProvider.FASTMAIL,
        mail_exchangers=("messagingengine.com",),
        help=(
            "Your normal password does not work here. Sign in with Fastmail where popfetch offers that, or make an app"
            " password with access to POP in Fastmail's privacy and security settings; only the inbox is collected."
        ),
    ),
    *_zoho("", "", "com"),
    *_zoho("eu", "Europe", "eu"),
    *_zoho("in", "India", "in"),
    *_zoho("au", "Australia", "com.au"),
    *_zoho("jp", "Japan", "jp"),
    Provider(
        id="gmx_com",
        name="GMX (international)",
        domains=("gmx.com", "gmx.us"),
        incoming=_pop3("pop.gmx.com"),
        outgoing=_smtp("mail.gmx.com"),
        help=_SWITCH_POP_ON,
    ),
    Provider(
        id="gmx_net",
        name="GMX",
        domains=("gmx.net", "gmx.de", "gmx.at", "gmx.ch"),
        incoming=_pop3("pop.gmx.net"),
        outgoing=_smtp("mail.gmx.net"),
        help=(
            "Switch POP3 and IMAP on in GMX's settings on the web first. GMX switches it off again after long disuse;"
            " then switch it on once more."
        ),
    ),
    # A check within 15 minutes of the last fails as if the password were wrong.
    Provider(
        id="web_de",
        name="WEB.DE",
        domains=("web.de",),
        incoming=_pop3("pop3.web.de"),
        outgoing=_smtp("smtp.web.de"),
        username=UsernameForm.LOCAL_PART,
        shortest_interval=15,
        help=(
            "Switch POP3 and IMAP on in WEB.DE's settings first; the user name is what stands before the @. A sign-in"
            " within 15 minutes of the last looks like a wrong password: wait, then try again."
        ),
    ),
    Provider(
        id="mail_com",
        name="mail.com",
        domains=("mail.com",),
        incoming=_pop3("pop.mail.com"),
        outgoing=_smtp("smtp.mail.com"),
        mail_exchangers=("mx00.mail.com", "mx01.mail.com"),
        help="POP may need a paid plan. Switch it on in mail.com's settings on the web first.",
    ),
    Provider(
        id="mail_ru",
        name="Mail.ru",
        domains=("mail.ru", "inbox.ru", "list.ru", "bk.ru"),
        incoming=_pop3("pop.mail.ru"),
        outgoing=_smtp("smtp.mail.ru"),
        sign_in_methods=_APP_PASSWORD,
        mail_exchangers=("mail.ru",),
        help=(
            "Your normal password does not work here. Make a password for external apps in the security settings of"
            " Mail.ru."
        ),
    ),
    Provider(
        id="yandex",
        name="Yandex Mail",
        domains=("yandex.com", "yandex.ru"),
        incoming=_pop3("pop.yandex.com"),
        outgoing=_smtp("smtp.yandex.com"),
        sign_in_methods=_APP_PASSWORD,
        mail_exchangers=("mx.yandex.net", "mx.yandex.ru"),
        other_hosts=("pop.yandex.ru",),
        help="Switch POP on in Yandex Mail's settings for mail clients, and make an app password in Yandex ID.",
    ),
    Provider(
        id="qq",
        name="QQ Mail",
        domains=("qq.com", "foxmail.com"),
        incoming=_pop3("pop.qq.com"),
        outgoing=_smtp("smtp.qq.com"),
        sign_in_methods=_CODE,
        help=(
            "Your normal password does not work here. Switch POP3 on in QQ Mail's settings and enter the authorization"
            " code that you get; make a new one whenever you change your password."
        ),
    ),
    Provider(
        id="netease_163",
        name="163 Mail (NetEase)",
        domains=("163.com",),
        incoming=_pop3("pop.163.com"),
        outgoing=_smtp("smtp.163.com"),
        sign_in_methods=_CODE,
        help=(
            "Your normal password does not work here. Switch POP3 on in the settings of the mailbox and enter the"
            " authorization code that you get."
        ),
    ),
    Provider(
        id="naver",
        name="Naver Mail",
        domains=("naver.com",),
        incoming=_pop3("pop.naver.com"),
        outgoing=_smtp("smtp.naver.com"),
        help=_SWITCH_POP_ON,
    ),
    Provider(
        id="icloud",
        name="iCloud Mail",
        domains=("icloud.com", "me.com", "mac.com"),
        incoming=None,
        outgoing=_submission("smtp.mail.me.com"),
        sign_in_methods=_APP_PASSWORD,
        mail_exchangers=("mail.icloud.com",),
        help=(
            "iCloud offers no POP, so its mail cannot be collected. Let iCloud forward it to a mailbox that can be"
            " (Settings, Mail Forwarding); for sending, make an app-specific password in your Apple Account."
        ),
    ),
    Provider(
        id="proton",
        name="Proton Mail",
        domains=("proton.me", "protonmail.com"),
        incoming=None,
        outgoing=None,
        sign_in_methods=(),
        mail_exchangers=("protonmail.ch",),
        help=(
            "Proton offers no POP, so its mail cannot be collected; Proton Mail Bridge does not help, as it only runs"
            " on your own computer. Let Proton forward the mail to a mailbox that can be collected."
        ),
    ),
    Provider(
        id="t_online",
        name="Telekom Mail (t-online.de)",
        domains=("t-online.de",),
        incoming=_pop3("securepop.t-online.de"),
        outgoing=_smtp("securesmtp.t-online.de"),
        help=(
            "Enter the password for e-mail programs, which you set in the Telekom customer centre; it is not the one"
            " that you sign in with on the web."
        ),
    ),
    Provider(
        id="posteo",
        name="Posteo",
        domains=("posteo.de",),
        incoming=_pop3("posteo.de"),
        outgoing=_smtp("posteo.de"),
        help=_PLAIN,
    ),
    Provider(
        id="strato",
        name="STRATO",
        incoming=_pop3("pop3.strato.de"),
        outgoing=_smtp("smtp.strato.de"),
        mail_exchangers=("rzone.de",),
        help=_PLAIN_HOSTING,
    ),
    Provider(
        id="ionos_de",
        name="IONOS (Germany)",
        incoming=_pop3("pop.1und1.de"),
        outgoing=_smtp("smtp.1und1.de"),
        mail_exchangers=("ionos.de", "1und1.de", "kundenserver.de"),
        other_hosts=("pop.ionos.de",),
        help=_PLAIN_HOSTING,
    ),
    Provider(
        id="orange_fr",
        name="Orange (France)",
        domains=("orange.fr", "wanadoo.fr"),
        incoming=_pop3("pop.orange.fr"),
        outgoing=_smtp("smtp.orange.fr"),
        help=_PLAIN,
    ),
    Provider(
        id="free_fr",
        name="Free (France)",
        domains=("free.fr",),
        incoming=_pop3("pop.free.fr"),
        outgoing=_smtp("smtp.free.fr"),
        username=UsernameForm.LOCAL_PART,
        help="The user name is what stands before the @, not the whole address.",
    ),
    Provider(
        id="laposte",
        name="La Poste",
        domains=("laposte.net",),
        incoming=_pop3("pop.laposte.net"),
        outgoing=_smtp("smtp.laposte.net"),
        username=UsernameForm.LOCAL_PART,
        help="The user name is what stands before the @, not the whole address.",
    ),
    Provider(
        id="libero",
        name="Libero Mail",
        domains=("libero.it",),
        incoming=_pop3("popmail.libero.it"),
        outgoing=_smtp("smtp.libero.it"),
        help=_PLAIN,
    ),
    Provider(
        id="btinternet",
        name="BT Email",
        domains=("btinternet.com",),
        incoming=_pop3("mail.btinternet.com"),
        outgoing=_smtp("mail.btinternet.com"),
        help=_PLAIN,
    ),
    Provider(
        id="spectrum",
        name="Spectrum (Charter)",
        domains=("charter.net", "spectrum.net"),
        incoming=_pop3("mobile.charter.net"),
        outgoing=MailServer("mobile.charter.net", 587, Security.TLS),
        help="For sending, choose TLS with port 587: this server speaks TLS from the start there, not STARTTLS.",
    ),
    Provider(
        id="seznam",
        name="Seznam Email",
        domains=("seznam.cz",),
        incoming=_pop3("pop3.seznam.cz"),
        outgoing=_smtp("smtp.seznam.cz"),
        help=_PLAIN,
    ),
    Provider(
        id="wp_pl",
        name="WP Poczta",
        domains=("wp.pl",),
        incoming=_pop3("pop3.wp.pl"),
        outgoing=_smtp("smtp.wp.pl"),
        username=UsernameForm.LOCAL_PART,
        help="The user name is what stands before the @, not the whole address.",
    ),
    # Sign-ins less than 60 seconds apart are cut. OVH's hosted Exchange has MX hosts below mail.ovh.net as well, but
    # other servers, so that the MX hosts are listed one by one.
    Provider(
        id="ovh",
        name="OVHcloud",
        incoming=_pop3("ssl0.ovh.net"),
        outgoing=_smtp("ssl0.ovh.net"),
        mail_exchangers=(
            *(f"mx{number}.mail.ovh.net" for number in range(5)),
            *(f"mx{number}.ovh.net" for number in range(1, 5)),
        ),
        help=_PLAIN_HOSTING,
    ),
    Provider(
        id="gandi",
        name="Gandi Mail",
        incoming=_pop3("mail.gandi.net"),
        outgoing=_smtp("mail.gandi.net"),
        mail_exchangers=("mail.gandi.net",),
        help=_PLAIN_HOSTING,
    ),
)

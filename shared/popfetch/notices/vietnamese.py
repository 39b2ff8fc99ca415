"""All that popfetch writes to people, in Vietnamese.

What a server said is quoted in its own words; popfetch's own sentence about it is written here, by the stop's code.
"""

from datetime import datetime, timedelta

from popfetch.domain.account import Account, Security
from popfetch.domain.failures import CONNECTIONS_IN_A_ROW, SIGN_INS_IN_A_ROW
from popfetch.domain.notice import ReplyToQuestion, StoppedAccount
from popfetch.domain.oauth import FLOW_LIFETIME
from popfetch.domain.provider import Provider
from popfetch.notices.letter import Action, Letter
from popfetch.notices.page import Page
from popfetch.notices.strangers import account_name, account_title, foreign, quoted
from popfetch.notices.vietnamese_providers import HELP
from popfetch.notices.ways_in import by_token, mailbox_to_sign_in_as, provider_with_trap

LANGUAGE = "vi"

_SECURITY = {Security.TLS: "TLS", Security.STARTTLS: "STARTTLS", Security.NONE: "không có"}
_MINUTES = FLOW_LIFETIME // timedelta(minutes=1)
_STEPS = "Bạn cần làm gì"
_ONCE = (
    "Bạn sẽ không nhận thêm thư nào về việc này cho đến khi popfetch lại lấy được thư của tài khoản, hoặc bạn đã cho "
    "tài khoản chạy lại."
)
_NO_LINKS = (
    "popfetch không bao giờ hỏi mật khẩu qua thư, và thư này cố ý không có liên kết nào: hãy mở popfetch theo cách bạn "
    "vẫn thường làm."
)
_CHECK_NOW = (
    "Nếu không có gì phải thay đổi, hãy chọn “Kiểm tra ngay” cho tài khoản này trong popfetch. Khi lần kiểm tra đó "
    "thành công, popfetch sẽ lại lấy thư theo lịch."
)
_CLOSE = "Bạn có thể đóng trang này. Tình trạng hiện tại luôn được hiển thị ở tài khoản này trong popfetch."
_WHAT_HAPPENED = {
    "authentication": "Máy chủ không chấp nhận tên đăng nhập và mật khẩu này.",
    "permanent": "Máy chủ báo một sự cố cần có người xử lý.",
    "pop_not_enabled": "POP đang bị tắt cho hộp thư này ở nhà cung cấp.",
    "consent_needed": "popfetch chưa có hoặc không còn quyền mở hộp thư này.",
    "network": "Không kết nối được với máy chủ, hoặc máy chủ ngắt kết nối hay không trả lời.",
    "tls": "Không lập được kết nối TLS đáng tin cậy với máy chủ.",
    "host_refused": "Tên máy chủ không hợp lệ, hoặc không dẫn đến địa chỉ mà popfetch được phép kết nối.",
}
"""By the stop's code; of one that is not here only the server's words are shown."""

_CONSENT_NOT_ACCEPTED = "Máy chủ không chấp nhận quyền truy cập mà bạn đã cấp cho popfetch."


def sign_in_refused(account: Account, stop: StoppedAccount) -> Letter:
    """The server does not accept what popfetch signs in with any more."""
    return _token_refused(account, stop) if by_token(account.incoming) else _password_refused(account, stop)


def _password_refused(account: Account, stop: StoppedAccount) -> Letter:
    kept_apart = (
        ""
        if by_token(account.outgoing)
        else " Mật khẩu thư đi (SMTP) được lưu riêng: nếu mật khẩu đó cũng đã đổi, hãy nhập lại cả mật khẩu đó, nếu "
        "không bạn sẽ không gửi được thư."
    )
    return Letter(
        language=LANGUAGE,
        subject=f"popfetch: {account_name(account)} cần bạn kiểm tra mật khẩu",
        heading=f"popfetch không còn đăng nhập được vào tài khoản {account_title(account)}",
        opening=(
            f"Máy chủ thư của tài khoản {account_name(account)} đã từ chối đăng nhập {SIGN_INS_IN_A_ROW} lần liên "
            "tiếp, hoặc đã vài lần nói rõ rằng tên đăng nhập hay mật khẩu không đúng. popfetch đã ngừng thử để nhà "
            "cung cấp không khóa hộp thư của bạn."
        ),
        facts=_facts(account, stop, last=_last(account, stop)),
        steps_heading=_STEPS,
        steps=(
            (
                "Hãy đăng nhập trên trang web của chính nhà cung cấp. Nếu ở đó cũng không đăng nhập được, trước hết "
                "hãy đặt lại mật khẩu tại đó."
            ),
            (
                "Nếu mật khẩu đã được đổi hoặc đã hết hạn, hãy mở tài khoản này trong popfetch và nhập mật khẩu thư "
                f"đến mới.{kept_apart}"
            ),
            (
                "Nếu mật khẩu vẫn đúng, hãy xem phần cài đặt ở nhà cung cấp: có thể quyền truy cập POP đã bị tắt, hoặc "
                "nhà cung cấp yêu cầu mật khẩu ứng dụng thay cho mật khẩu thông thường. Khi đó, hãy tạo mật khẩu ứng "
                "dụng ở nhà cung cấp rồi nhập nó làm mật khẩu thư đến trong popfetch."
            ),
            *_known_trap(account),
            _CHECK_NOW,
        ),
        closing=(_nothing_is_lost("popfetch đăng nhập lại được"), _ONCE, _NO_LINKS),
    )


def _token_refused(account: Account, stop: StoppedAccount) -> Letter:
    return Letter(
        language=LANGUAGE,
        subject=f"popfetch: {account_name(account)} cần bạn kiểm tra việc đăng nhập",
        heading=f"popfetch không còn đăng nhập được vào tài khoản {account_title(account)}",
        opening=(
            f"Máy chủ thư của tài khoản {account_name(account)} đã từ chối đăng nhập {SIGN_INS_IN_A_ROW} lần liên "
            "tiếp, hoặc đã vài lần nói rõ rằng không chấp nhận quyền truy cập mà bạn đã cấp cho popfetch ở nhà cung "
            "cấp. popfetch đã ngừng thử để nhà cung cấp không khóa hộp thư của bạn."
        ),
        facts=_facts(account, stop, last=_last(account, stop)),
        steps_heading=_STEPS,
        steps=(
            (
                "Hãy đăng nhập trên trang web của chính nhà cung cấp. Nếu ở đó cũng không đăng nhập được, trước hết "
                "hãy khắc phục việc đó."
            ),
            (
                "Hãy xem trong phần cài đặt ở nhà cung cấp quyền truy cập POP có còn được bật không. Nếu hộp thư thuộc "
                "về công ty hay trường học, có thể quản trị viên phải cho phép."
            ),
            *_known_trap(account),
            (
                "Nếu ở đó mọi thứ đều ổn, hãy mở tài khoản này trong popfetch và chọn “Đăng nhập lại”. Ở trang của nhà "
                "cung cấp, hãy đăng nhập bằng đúng hộp thư của tài khoản này "
                f"({mailbox_to_sign_in_as(account)}) và đồng ý với mọi quyền được yêu cầu."
            ),
            _CHECK_NOW,
        ),
        closing=(_nothing_is_lost("popfetch đăng nhập lại được"), _ONCE, _NO_LINKS),
    )


def consent_needed(account: Account, stop: StoppedAccount) -> Letter:
    """There is no consent to the mailbox any more, or it does not cover what popfetch needs."""
    return Letter(
        language=LANGUAGE,
        subject=f"popfetch: {account_name(account)} cần bạn đăng nhập lại",
        heading=f"popfetch cần bạn cho phép lấy thư của tài khoản {account_title(account)}",
        opening=(
            f"popfetch không còn quyền mở hộp thư của tài khoản {account_name(account)} ở nhà cung cấp, hoặc quyền bạn "
            "đã cấp không bao gồm mọi thứ popfetch cần. Quyền này mất hiệu lực khi bị thu hồi, khi lâu ngày không được "
            "dùng đến, khi mật khẩu được đổi, hoặc khi quản trị viên quyết định như vậy. popfetch sẽ không lấy thư của "
            "tài khoản này cho đến khi bạn đăng nhập lại."
        ),
        facts=_facts(account, stop, last=_last(account, stop) if stop.code == "consent_needed" else ""),
        steps_heading=_STEPS,
        steps=(
            "Hãy mở popfetch theo cách bạn vẫn thường làm, mở tài khoản này và chọn “Đăng nhập lại”.",
            (
                "Ở trang của nhà cung cấp, hãy đăng nhập bằng đúng hộp thư của tài khoản này "
                f"({mailbox_to_sign_in_as(account)}) và đồng ý với mọi quyền được yêu cầu."
            ),
            (
                "Nếu nhà cung cấp từ chối, hãy xem phần cài đặt bảo mật của tài khoản tại đó. Nếu hộp thư thuộc về "
                "công ty hay trường học, hãy hỏi quản trị viên."
            ),
            (
                "Bạn không cần nhập gì trong popfetch. Khi bạn đã đăng nhập thành công, popfetch sẽ lại lấy thư theo "
                "lịch."
            ),
        ),
        closing=(_nothing_is_lost("bạn đã đăng nhập lại"), _ONCE, _NO_LINKS),
    )


def password_unreadable(account: Account, stop: StoppedAccount) -> Letter:
    """The password that popfetch keeps does not open; the server was not asked."""
    return Letter(
        language=LANGUAGE,
        subject=f"popfetch: {account_name(account)} cần bạn nhập lại mật khẩu",
        heading=f"popfetch không có mật khẩu dùng được cho tài khoản {account_title(account)}",
        opening=(
            f"popfetch không còn mở được mật khẩu đã lưu cho tài khoản {account_name(account)} của bạn nên không thể "
            "đăng nhập. Đây không phải là lỗi của nhà cung cấp."
        ),
        facts=_facts(account, stop, last=""),
        steps_heading=_STEPS,
        steps=(
            "Hãy mở tài khoản này trong popfetch và nhập lại mật khẩu thư đến; bạn có thể dùng lại mật khẩu cũ.",
            "Nếu tài khoản có mật khẩu thư đi (SMTP), hãy nhập lại cả mật khẩu đó.",
            "Nếu việc này lặp lại, hãy báo cho người vận hành popfetch cho bạn.",
        ),
        closing=(_nothing_is_lost("popfetch đăng nhập lại được"), _ONCE, _NO_LINKS),
    )


def mailbox_out_of_order(account: Account, stop: StoppedAccount) -> Letter:
    """The server says that something is wrong with the mailbox that does not pass by itself."""
    return Letter(
        language=LANGUAGE,
        subject=f"popfetch: {account_name(account)} cần bạn xử lý",
        heading=f"Nhà cung cấp không cho popfetch truy cập tài khoản {account_title(account)} nữa",
        opening=(
            f"Máy chủ thư của tài khoản {account_name(account)} báo một sự cố không tự hết được. popfetch đã ngừng thử."
        ),
        facts=_facts(account, stop, last=_last(account, stop)),
        steps_heading=_STEPS,
        steps=(
            (
                "Hãy đăng nhập trên trang web của chính nhà cung cấp và xem hộp thư có bị khóa, bị đầy hay đã bị đóng "
                "không."
            ),
            (
                "Hãy xem trong phần cài đặt ở nhà cung cấp quyền truy cập POP có còn được bật không; nếu lời báo của "
                "máy chủ ở trên không giúp được gì, hãy hỏi nhà cung cấp."
            ),
            *_known_trap(account),
            (
                "Nếu nhà cung cấp báo rằng popfetch không còn quyền truy cập, hãy mở tài khoản này trong popfetch và "
                "chọn “Đăng nhập lại”."
                if by_token(account.incoming)
                else "Nếu nhà cung cấp đưa cho bạn mật khẩu mới, hãy mở tài khoản này trong popfetch và nhập nó làm "
                "mật khẩu thư đến."
            ),
            _CHECK_NOW,
        ),
        closing=(_nothing_is_lost("nhà cung cấp lại cho popfetch truy cập"), _ONCE, _NO_LINKS),
    )


def server_unreachable(account: Account, stop: StoppedAccount) -> Letter:
    """The server could not be connected to, many times in a row."""
    return Letter(
        language=LANGUAGE,
        subject=f"popfetch: không kết nối được với {account_name(account)}",
        heading=f"popfetch không kết nối được với máy chủ thư của tài khoản {account_title(account)}",
        opening=(
            f"popfetch đã thử kết nối {CONNECTIONS_IN_A_ROW} lần liên tiếp với máy chủ thư của tài khoản "
            f"{account_name(account)} mà không lần nào thành công. popfetch đã ngừng thử."
        ),
        facts=_facts(account, stop, last=_last(account, stop)),
        steps_heading=_STEPS,
        steps=(
            (
                "Hãy so sánh máy chủ, cổng và kiểu bảo mật ở trên với những gì trang trợ giúp của nhà cung cấp hiện "
                "nay viết về POP; thỉnh thoảng nhà cung cấp thay đổi các thông tin này."
            ),
            "Nếu có khác biệt, hãy sửa máy chủ thư đến của tài khoản này trong popfetch.",
            "Nếu không có gì khác, hãy xem nhà cung cấp có đang báo sự cố, hay đã ngừng hỗ trợ POP.",
            _CHECK_NOW,
        ),
        closing=(_nothing_is_lost("kết nối lại được với máy chủ"), _ONCE, _NO_LINKS),
    )


def confirm_reply_to(question: ReplyToQuestion) -> Letter:
    """An address is asked whether it wants the replies to an account's mail; its reader may be a stranger."""
    return Letter(
        language=LANGUAGE,
        subject="popfetch: bạn có muốn nhận thư trả lời tại địa chỉ này không?",
        heading="Bạn có muốn nhận thư trả lời tại địa chỉ này không?",
        opening=(
            "Một người gửi thư bằng popfetch từ tài khoản dưới đây muốn thư trả lời được gửi đến địa chỉ này. Điều đó "
            "chỉ xảy ra khi bạn đã xác nhận."
        ),
        facts=(
            ("Thư được gửi từ", quoted(question.account_email)),
            ("Liên kết có hiệu lực đến", _instant(question.expires_at)),
        ),
        action=Action("Xem câu hỏi và xác nhận", question.link),
        closing=(
            (
                "Liên kết mở một trang có một nút; chỉ khi bạn bấm nút đó thì việc xác nhận mới có hiệu lực. Liên kết "
                "chỉ dùng được một lần."
            ),
            (
                "Nếu bạn không yêu cầu việc này, bạn không cần làm gì: khi bạn chưa xác nhận, không có thư trả lời nào "
                "được gửi đến địa chỉ này."
            ),
            "popfetch không bao giờ hỏi mật khẩu, cả qua thư lẫn trên trang mà liên kết này mở ra.",
        ),
    )


def reply_to_asked(address: str, account_email: str) -> Page:
    """The question that the link leads to."""
    return Page(
        language=LANGUAGE,
        title="popfetch: xác nhận địa chỉ nhận thư trả lời",
        heading="Bạn có muốn nhận thư trả lời tại địa chỉ này không?",
        opening=(
            "Một người gửi thư bằng popfetch từ tài khoản dưới đây muốn thư trả lời được gửi đến địa chỉ của bạn."
        ),
        facts=_reply_facts(address, account_email),
        button="Có, gửi thư trả lời đến đây",
        closing=(
            (
                "Nếu bạn không yêu cầu việc này, hãy đóng trang này: khi bạn chưa xác nhận, không có thư trả lời nào "
                "được gửi đến địa chỉ của bạn."
            ),
            "popfetch không hỏi mật khẩu ở đây.",
        ),
    )


def reply_to_confirmed(address: str, account_email: str) -> Page:
    """The answer is in force."""
    return Page(
        language=LANGUAGE,
        title="popfetch: đã xác nhận địa chỉ nhận thư trả lời",
        heading="Đã xác nhận địa chỉ nhận thư trả lời",
        opening="Từ bây giờ, thư trả lời sẽ được gửi đến địa chỉ bạn đã xác nhận. Bạn có thể đóng trang này.",
        facts=_reply_facts(address, account_email),
    )


def provider_help(provider: Provider) -> str:
    """What the owner of a mailbox at a provider has to do first."""
    return HELP[provider.id]


def link_invalid() -> Page:
    """The link is not valid, or not any more."""
    return Page(
        language=LANGUAGE,
        title="popfetch: liên kết không còn hiệu lực",
        heading="Liên kết này không còn hiệu lực",
        opening=(
            "Liên kết đã được dùng, đã hết hạn, đã được thay bằng một liên kết mới hơn, hoặc không được sao chép đầy "
            "đủ. Việc mở liên kết không làm thay đổi gì."
        ),
        closing=(
            (
                "Nếu bạn dùng popfetch: hãy mở phần cài đặt của tài khoản trong popfetch, xem địa chỉ nhận thư trả lời "
                "đã được xác nhận chưa, và nếu chưa thì yêu cầu một liên kết mới."
            ),
            "Nếu không, bạn không cần làm gì cả; bạn có thể đóng trang này.",
        ),
    )


def try_again() -> Page:
    """Something failed that has nothing to do with the link."""
    return Page(
        language=LANGUAGE,
        title="popfetch: vui lòng thử lại",
        heading="Chưa thực hiện được",
        opening="Đã có lỗi xảy ra ở popfetch. Hãy chờ một phút rồi mở lại liên kết trong thư.",
    )


def consent_not_waited_for() -> Page:
    """What came back from a provider belongs to no sign-in that is waited for."""
    return Page(
        language=LANGUAGE,
        title="popfetch: lần đăng nhập không còn hiệu lực",
        heading="Lần đăng nhập này không còn hiệu lực",
        opening=(
            f"Lần đăng nhập này đã được dùng, đã quá {_MINUTES} phút, hoặc popfetch không biết đến nó. Việc mở trang "
            "này không làm thay đổi gì."
        ),
        closing=(
            (
                "Nếu bạn dùng popfetch: hãy mở tài khoản trong popfetch, xem tài khoản đã được kết nối chưa, và nếu "
                "chưa thì bắt đầu đăng nhập lại."
            ),
            "Nếu không, bạn không cần làm gì cả; bạn có thể đóng trang này.",
        ),
    )


def consent_in_other_browser() -> Page:
    """A sign-in came back in another browser than the one in which it was started."""
    return Page(
        language=LANGUAGE,
        title="popfetch: trình duyệt khác",
        heading="Việc đăng nhập không được bắt đầu từ trình duyệt này",
        opening=(
            "Vì vậy popfetch không giữ lại gì từ lần đăng nhập này. Nếu có người gửi cho bạn một liên kết dẫn đến đây: "
            "hãy đóng trang này và đừng đưa địa chỉ của trang cho bất kỳ ai. Người có địa chỉ đó có thể đọc được thư "
            "của bạn."
        ),
        closing=(
            (
                "Nếu chính bạn đã bắt đầu đăng nhập trong một chương trình khác: hãy đưa địa chỉ của trang này cho "
                f"chương trình đó, trong vòng {_MINUTES} phút kể từ khi bắt đầu."
            ),
        ),
    )


def consent_try_again() -> Page:
    """Storage did not answer when a sign-in came back."""
    return Page(
        language=LANGUAGE,
        title="popfetch: vui lòng thử lại",
        heading="Chưa thực hiện được",
        opening=(
            "Đã có lỗi xảy ra ở popfetch. Hãy chờ một phút, sau đó mở tài khoản trong popfetch và bắt đầu đăng nhập "
            "lại. Bạn có thể đóng trang này."
        ),
    )


def _reply_facts(address: str, account_email: str) -> tuple[tuple[str, str], ...]:
    return (("Thư được gửi từ", foreign(account_email)), ("Thư trả lời được gửi đến", foreign(address)))


def _known_trap(account: Account) -> tuple[str, ...]:
    """What popfetch knows of the provider that people stumble over."""
    provider = provider_with_trap(account)
    return (f"Về {provider.name}: {provider_help(provider)}",) if provider else ()


def _last(account: Account, stop: StoppedAccount) -> str:
    """What happened last: in our words what it means, in the server's what it said."""
    refused_token = stop.code == "authentication" and by_token(account.incoming)
    meant = _CONSENT_NOT_ACCEPTED if refused_token else _WHAT_HAPPENED.get(stop.code, "")
    said = quoted(stop.server_said)
    return " ".join(part for part in (meant, f"Máy chủ trả lời: “{said}”" if said else "") if part)


def _facts(account: Account, stop: StoppedAccount, *, last: str) -> tuple[tuple[str, str], ...]:
    incoming = account.incoming
    return (
        ("Tài khoản", account_name(account)),
        (
            "Máy chủ thư đến",
            f"{foreign(incoming.host)}, cổng {incoming.port}, bảo mật: {_SECURITY[incoming.security]}",
        ),
        ("Tên đăng nhập", foreign(incoming.username)),
        ("Ngừng lấy thư từ", _instant(stop.stopped_at)),
        *((("Lỗi gần nhất", last),) if last else ()),
    )


def _instant(at: datetime) -> str:
    return f"{at:%H:%M} ngày {at:%d/%m/%Y} (giờ UTC)"


def _nothing_is_lost(once: str) -> str:
    return f"Không có thư nào bị mất: thư đã lấy về vẫn còn nguyên, và thư trên máy chủ sẽ được lấy về ngay khi {once}."

"""What the provider table's ``help`` says, in Vietnamese, by the provider's id.

What people see on their screens is called as it is called there: in Vietnamese where the provider's pages are.
"""

from collections.abc import Mapping

_PLAIN = "Hãy đăng nhập bằng địa chỉ đầy đủ và mật khẩu của hộp thư."
_PLAIN_HOSTING = (
    "Hãy đăng nhập bằng địa chỉ đầy đủ của hộp thư và mật khẩu riêng của hộp thư đó, không phải mật khẩu của tài khoản "
    "khách hàng."
)
_SWITCH_POP_ON = (
    "Trước hết hãy bật POP trong phần cài đặt của hộp thư trên web; khi chưa bật, mọi lần đăng nhập đều bị từ chối."
)
_LOCAL_PART = "Tên đăng nhập là phần đứng trước ký tự @, không phải toàn bộ địa chỉ."
_NOT_THE_USUAL = "Mật khẩu thông thường của bạn không dùng được ở đây."


def _zoho(region: str, top: str) -> dict[str, str]:
    suffix = f"_{region}" if region else ""
    switch_on = "hãy bật POP trong phần cài đặt thư của Zoho và, nếu dùng xác thực hai yếu tố, tạo mật khẩu ứng dụng."
    same_end = (
        f"Nếu trên web bạn đăng nhập ở địa chỉ khác với mail.zoho.{top}, hãy dùng các máy chủ có phần đuôi như địa chỉ "
        "đó."
    )
    no_pop = "Các gói miễn phí không có POP."
    return {
        f"zoho{suffix}": f"{no_pop} Nếu gói của bạn có POP, {switch_on} {same_end}",
        f"zoho_organisation{suffix}": (
            f"{no_pop} Có thể quản trị viên của bạn phải cho phép trước; sau đó {switch_on} {same_end}"
        ),
    }


HELP: Mapping[str, str] = {
    "gmail": (
        f"{_NOT_THE_USUAL} Hãy bật POP trong phần cài đặt của Gmail, rồi đăng nhập bằng Google nếu popfetch có mục đó, "
        "hoặc bật Xác minh 2 bước trong Tài khoản Google và tạo một mật khẩu ứng dụng cho popfetch."
    ),
    "google_workspace": (
        f"{_NOT_THE_USUAL} Hãy bật POP trong phần cài đặt của Gmail, rồi đăng nhập bằng Google nếu popfetch có mục đó, "
        "hoặc tạo một mật khẩu ứng dụng; nếu không có cách nào được, hãy nhờ quản trị viên cho phép POP, cùng với "
        "popfetch hoặc mật khẩu ứng dụng."
    ),
    "outlook_personal": (
        "Mật khẩu và mật khẩu ứng dụng không còn dùng được ở đây. Hãy bật POP trong phần cài đặt của Outlook, mục "
        "Chuyển tiếp và IMAP, rồi đăng nhập bằng Microsoft."
    ),
    "office365": (
        "Mật khẩu không còn dùng được ở đây: hãy đăng nhập bằng Microsoft. Nếu bị từ chối, hãy nhờ quản trị viên cho "
        "phép POP cho hộp thư của bạn, và SMTP có xác thực để gửi thư."
    ),
    "yahoo": (
        f"{_NOT_THE_USUAL} Hãy tạo một mật khẩu ứng dụng trong phần cài đặt bảo mật của tài khoản Yahoo và nhập mật "
        "khẩu đó."
    ),
    "yahoo_jp": (
        "Tên đăng nhập là phần đứng trước ký tự @. Trước hết hãy cho phép các chương trình thư khác truy cập trong "
        "phần cài đặt của hộp thư."
    ),
    "aol": (
        f"{_NOT_THE_USUAL} Hãy tạo một mật khẩu ứng dụng trong phần cài đặt bảo mật của tài khoản AOL, và đăng nhập "
        "bằng địa chỉ đầy đủ."
    ),
    "att": (
        f"{_NOT_THE_USUAL} Hãy tạo một khóa thư bảo mật (secure mail key) trong hồ sơ của tài khoản AT&T và nhập khóa "
        "đó làm mật khẩu."
    ),
    "comcast": (
        "Comcast đang chuyển dần các hộp thư sang Yahoo Mail. Nếu không đăng nhập được, hãy xem hộp thư của bạn đã "
        "được chuyển chưa; nếu rồi, hãy dùng các máy chủ của Yahoo và một mật khẩu ứng dụng của Yahoo."
    ),
    "fastmail": (
        f"{_NOT_THE_USUAL} Hãy đăng nhập bằng Fastmail nếu popfetch có mục đó, hoặc tạo một mật khẩu ứng dụng có quyền "
        "truy cập POP trong phần cài đặt quyền riêng tư và bảo mật của Fastmail; chỉ thư trong hộp thư đến được lấy về."
    ),
    **_zoho("", "com"),
    **_zoho("eu", "eu"),
    **_zoho("in", "in"),
    **_zoho("au", "com.au"),
    **_zoho("jp", "jp"),
    "gmx_com": _SWITCH_POP_ON,
    "gmx_net": (
        "Trước hết hãy bật POP3 và IMAP trong phần cài đặt của GMX trên web. Sau một thời gian dài không dùng, GMX sẽ "
        "tắt lại; khi đó hãy bật lại lần nữa."
    ),
    "web_de": (
        "Trước hết hãy bật POP3 và IMAP trong phần cài đặt của WEB.DE; tên đăng nhập là phần đứng trước ký tự @. Nếu "
        "đăng nhập lại trong vòng 15 phút sau lần trước, máy chủ sẽ báo như thể sai mật khẩu: hãy chờ rồi thử lại."
    ),
    "mail_com": ("Có thể cần gói trả phí mới có POP. Trước hết hãy bật POP trong phần cài đặt của mail.com trên web."),
    "mail_ru": (
        f"{_NOT_THE_USUAL} Hãy tạo một mật khẩu cho ứng dụng bên ngoài trong phần cài đặt bảo mật của Mail.ru."
    ),
    "yandex": (
        "Hãy bật POP trong phần cài đặt dành cho chương trình thư của Yandex Mail, và tạo một mật khẩu ứng dụng trong "
        "Yandex ID."
    ),
    "qq": (
        f"{_NOT_THE_USUAL} Hãy bật POP3 trong phần cài đặt của QQ Mail và nhập mã ủy quyền mà bạn nhận được; mỗi khi "
        "đổi mật khẩu, hãy tạo mã mới."
    ),
    "netease_163": (
        f"{_NOT_THE_USUAL} Hãy bật POP3 trong phần cài đặt của hộp thư và nhập mã ủy quyền mà bạn nhận được."
    ),
    "naver": _SWITCH_POP_ON,
    "icloud": (
        "iCloud không có POP nên popfetch không lấy được thư ở đó. Hãy để iCloud chuyển tiếp thư đến một hộp thư mà "
        "popfetch lấy được (Cài đặt, Chuyển tiếp thư); để gửi thư, hãy tạo mật khẩu dành riêng cho ứng dụng trong Tài "
        "khoản Apple."
    ),
    "proton": (
        "Proton không có POP nên popfetch không lấy được thư ở đó; Proton Mail Bridge cũng không giúp được, vì nó chỉ "
        "chạy trên máy tính của bạn. Hãy để Proton chuyển tiếp thư đến một hộp thư mà popfetch lấy được."
    ),
    "t_online": (
        "Hãy nhập mật khẩu dành cho chương trình thư, do bạn đặt trong trung tâm khách hàng (Kundencenter) của "
        "Telekom; đó không phải là mật khẩu bạn dùng để đăng nhập trên web."
    ),
    "posteo": _PLAIN,
    "strato": _PLAIN_HOSTING,
    "ionos_de": _PLAIN_HOSTING,
    "orange_fr": _PLAIN,
    "free_fr": _LOCAL_PART,
    "laposte": _LOCAL_PART,
    "libero": _PLAIN,
    "btinternet": _PLAIN,
    "spectrum": (
        "Để gửi thư, hãy chọn TLS với cổng 587: ở cổng đó máy chủ này dùng TLS ngay từ đầu, không dùng STARTTLS."
    ),
    "seznam": _PLAIN,
    "wp_pl": _LOCAL_PART,
    "ovh": _PLAIN_HOSTING,
    "gandi": _PLAIN_HOSTING,
}

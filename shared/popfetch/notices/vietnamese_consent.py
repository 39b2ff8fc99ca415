"""What came of a sign-in at a provider, in Vietnamese: a sentence for each code, and one for any other."""

from collections.abc import Mapping

_AGAIN = "hãy mở tài khoản này trong popfetch và bắt đầu đăng nhập lại"

FAILURES: Mapping[str, str] = {
    "consent_refused": (
        "popfetch chưa được phép mở hộp thư này: quyền truy cập chưa được cấp, chưa được cấp đủ, hoặc được cấp quá "
        f"muộn. Nếu bạn muốn cho phép, {_AGAIN}, rồi đồng ý với mọi quyền được yêu cầu. Nếu nhà cung cấp không cho bạn "
        "làm vậy, có thể quản trị viên của hộp thư phải cho phép trước."
    ),
    "sign_in_refused": (
        "Bạn đã đăng nhập, nhưng máy chủ thư của tài khoản này không chấp nhận lần đăng nhập đó. Có thể bạn đã đăng "
        f"nhập cho một hộp thư khác: {_AGAIN} bằng đúng hộp thư của tài khoản. Nếu bạn đã làm đúng như vậy, hãy xem "
        "POP có được bật trong phần cài đặt ở nhà cung cấp không; có thể quản trị viên của hộp thư phải cho phép."
    ),
    "token_endpoint_unavailable": f"Nhà cung cấp không trả lời như mong đợi. Hãy chờ vài phút, sau đó {_AGAIN}.",
    "oauth_client_refused": (
        "Nhà cung cấp không chấp nhận chính popfetch, nên hiện không ai đăng nhập được ở đó. Đây không phải là lỗi của "
        "bạn: hãy báo cho người vận hành popfetch cho bạn, vì chỉ người đó mới khắc phục được."
    ),
    "oauth_not_configured": (
        "popfetch chưa được đăng ký với nhà cung cấp này, nên không ai đăng nhập được ở đó. Đây không phải là lỗi của "
        "bạn: hãy báo cho người vận hành popfetch cho bạn, vì chỉ người đó mới khắc phục được."
    ),
    "account_not_found": (
        "Tài khoản cần đăng nhập không còn trong popfetch nữa. Nếu bạn vẫn muốn lấy thư của tài khoản đó, hãy thêm lại "
        "tài khoản."
    ),
    "account_changed": (
        "Tài khoản này đã được thay đổi ở nơi khác vào đúng lúc đó. Hãy xem các thông tin có đúng như bạn muốn không, "
        "sau đó bắt đầu đăng nhập lại từ tài khoản này trong popfetch."
    ),
    "invalid_account": (
        "Các máy chủ của tài khoản này không còn phù hợp với lần đăng nhập này: chúng thuộc về một nhà cung cấp khác, "
        "hoặc kết nối với chúng không được bảo vệ. Hãy sửa máy chủ và kiểu bảo mật của tài khoản trong popfetch, sau "
        "đó bắt đầu đăng nhập lại."
    ),
    "account_already_added": (
        "Bạn đã có một tài khoản khác trong popfetch cho cùng hộp thư này. Hãy dùng tài khoản đó; nếu bạn muốn dùng "
        "tài khoản này, hãy xóa tài khoản kia rồi bắt đầu đăng nhập lại."
    ),
    "host_refused": (
        "popfetch không kết nối với một máy chủ của tài khoản này: tên máy chủ không tồn tại, hoặc dẫn đến một địa chỉ "
        "không được phép. Hãy sửa máy chủ của tài khoản trong popfetch, sau đó bắt đầu đăng nhập lại."
    ),
    "storage_unavailable": f"Đã có lỗi xảy ra ở popfetch. Hãy chờ một phút, sau đó {_AGAIN}.",
}
"""Why a sign-in came to nothing, and what to do, by the error's code."""

OTHER_FAILURE = (
    f"Đã có lỗi xảy ra mà ở đây không rõ nguyên nhân. Hãy chờ vài phút, sau đó {_AGAIN}. Nếu việc này lặp lại, hãy báo "
    "cho người vận hành popfetch cho bạn."
)
"""For a code that has no sentence of its own."""

TROUBLES: Mapping[str, str] = {
    "pop_not_enabled": (
        "POP vẫn đang bị tắt cho hộp thư này ở nhà cung cấp, nên chưa lấy được thư. Hãy bật POP trong phần cài đặt ở "
        "nhà cung cấp, sau đó chọn “Kiểm tra ngay” cho tài khoản này trong popfetch."
    ),
    "sign_in_off": (
        "Hiện chưa gửi được thư: máy chủ thư đi không cho đăng nhập theo cách này. Hãy xem cổng của máy chủ thư đi "
        "trong popfetch có đúng không, và việc gửi thư qua SMTP có được bật ở nhà cung cấp không. Việc lấy thư không "
        "bị ảnh hưởng."
    ),
    "cannot_connect": (
        "popfetch vừa thử mà không kết nối được với một máy chủ thư của tài khoản này. Nếu không có thư nào về, hoặc "
        "không gửi được thư, hãy xem máy chủ, cổng và kiểu bảo mật của tài khoản trong popfetch có đúng không."
    ),
    "tls_failed": (
        "Không lập được kết nối bảo mật đáng tin cậy với một máy chủ thư của tài khoản này. Nếu không có thư nào về, "
        "hoặc không gửi được thư, hãy xem máy chủ, cổng và kiểu bảo mật của tài khoản trong popfetch có đúng không; "
        "nếu đã đúng, chỉ nhà cung cấp mới khắc phục được."
    ),
    "too_frequent": (
        "Máy chủ thư yêu cầu các lần đăng nhập cách nhau lâu hơn, nên có thể nửa giờ nữa thư đầu tiên mới về. Bạn "
        "không cần làm gì cả."
    ),
    "maildrop_busy": (
        "Một chương trình khác đang đăng nhập vào hộp thư này. Hãy đóng chương trình đó, hoặc chờ: khi hộp thư rảnh, "
        "thư sẽ về trong lần kiểm tra tiếp theo."
    ),
    "server_error": (
        "Khi popfetch vừa thử, một máy chủ thư của tài khoản này không trả lời như mong đợi. popfetch sẽ tự thử lại; "
        "nếu vẫn không được, hãy xem tài khoản này trong popfetch báo gì, hoặc hỏi nhà cung cấp."
    ),
    "sign_in_refused": (
        "Hiện chưa gửi được thư: máy chủ thư đi đã từ chối đăng nhập. Nếu bạn chưa đồng ý với mọi quyền được yêu cầu, "
        f"{_AGAIN}. Nếu đã đồng ý, hãy xem việc gửi thư qua SMTP có được bật ở nhà cung cấp không; có thể quản trị "
        "viên của hộp thư phải cho phép. Việc lấy thư không bị ảnh hưởng."
    ),
}
"""What went wrong beside a consent that is kept, and what to do, by the trouble's code."""

OTHER_TROUBLE = (
    "Khi popfetch vừa thử các máy chủ thư của tài khoản này, không phải mọi việc đều ổn. Hãy mở tài khoản này trong "
    "popfetch để xem có vấn đề gì và cần làm gì tiếp."
)
"""For a code that has no sentence of its own."""

import type { Words } from "../words";

// In English some are told by the API itself.
export const failures: Words["failures"] & Record<string, string> = {
  unreachable: "Không kết nối được với popfetch. Bạn có đang trực tuyến không?",
  internal: "popfetch gặp lỗi bên trong. Hãy thử lại sau giây lát.",
  too_many_requests: "Quá nhiều lần trong thời gian ngắn. Hãy đợi một lát rồi thử lại.",
  sign_in_refused: "Địa chỉ và mật khẩu này không khớp với nhau.",
  password_reset_required: "Cần thay mật khẩu này trước: hãy dùng “Quên mật khẩu?”.",
  code_refused: "Mã này sai hoặc đã hết hạn.",
  password_too_weak: "Mật khẩu này quá dễ đoán.",
  signed_out: "Phiên làm việc đã kết thúc. Hãy đăng nhập lại.",
  // accounts
  account_not_found: "Tài khoản này không còn nữa.",
  account_already_added: "Bạn đã có hộp thư này. Mỗi hộp thư chỉ thêm được một lần.",
  too_many_accounts: "Bạn đã có số tài khoản tối đa. Hãy xóa một tài khoản bạn không cần.",
  account_changed: "Tài khoản được thay đổi ở nơi khác vào đúng lúc đó. Hãy thử lại.",
  account_outdated:
    "Tài khoản đã được thay đổi ở nơi khác. Những gì bạn nhập vẫn còn ở đây: hãy xem lại rồi lưu lần nữa.",
  invalid_account:
    "Các cài đặt này không phù hợp với nhau. Hãy xem lại máy chủ, mật khẩu và khoảng cách giữa hai lần kiểm tra.",
  invalid_request: "Có mục điền chưa đúng. Hãy xem lại các mục.",
  invalid_order: "Danh sách tài khoản đã thay đổi. Hãy sắp xếp lại.",
  invalid_cursor: "Danh sách này đã thay đổi. Hãy tải lại trang.",
  no_outgoing_server: "Tài khoản này không có máy chủ thư đi. Hãy thêm trong phần cài đặt của tài khoản.",
  unauthorized: "Hãy đăng nhập lại.",
  route_not_found: "popfetch không có chức năng này. Hãy tải lại trang.",
  malformed_body: "popfetch không đọc được yêu cầu này. Hãy tải lại trang rồi thử lại.",
  malformed_header: "popfetch không đọc được yêu cầu này. Hãy tải lại trang rồi thử lại.",
  unsupported_media_type: "popfetch không đọc được yêu cầu này. Hãy tải lại trang rồi thử lại.",
  storage_unavailable: "Kho lưu trữ của popfetch không trả lời. Hãy thử lại sau giây lát.",
  asset_not_found: "Trang này cũ hơn popfetch. Hãy tải lại trang.",
  console_not_built: "Bản cài đặt này không có giao diện web. Hãy báo cho người vận hành popfetch cho bạn.",
  unknown: "popfetch trả lời theo cách không hiểu được. Hãy thử lại sau giây lát.",
  // trying a sign-in
  trial_sign_in_refused:
    "Máy chủ không chấp nhận tên đăng nhập và mật khẩu này. Hãy kiểm tra cả hai. Một số nhà cung cấp yêu cầu mật khẩu ứng dụng, hoặc phải bật POP hay SMTP trước.",
  trial_cannot_connect:
    "Không kết nối được với máy chủ thư. Hãy xem tên máy chủ, cổng và kiểu bảo mật có đúng không, hoặc thử lại sau.",
  trial_tls_failed:
    "Không lập được kết nối TLS đáng tin cậy với máy chủ. Hãy xem máy chủ, cổng và kiểu bảo mật có đúng không; nếu đúng, chỉ nhà cung cấp mới khắc phục được.",
  trial_pop_not_enabled: "POP đang bị tắt cho hộp thư này. Hãy bật POP trong phần cài đặt ở nhà cung cấp, rồi thử lại.",
  trial_sign_in_off:
    "Máy chủ không cho đăng nhập theo cách này. Hãy xem cổng có đúng không, hoặc bật việc gửi thư qua SMTP ở nhà cung cấp.",
  trial_too_frequent: "Máy chủ yêu cầu các lần đăng nhập cách nhau lâu hơn. Hãy đợi mười lăm phút rồi thử lại.",
  trial_maildrop_busy:
    "Một chương trình khác đang đăng nhập vào hộp thư này. Hãy đóng chương trình đó hoặc đợi vài phút, rồi thử lại.",
  trial_server_error:
    "Máy chủ không trả lời như mong đợi. Hãy xem máy chủ, cổng và kiểu bảo mật có đúng không, hoặc thử lại sau.",
  host_refused:
    "popfetch không kết nối với máy chủ này: tên máy chủ không tồn tại, hoặc dẫn đến một địa chỉ hay cổng không được phép. Hãy sửa tên máy chủ.",
  // collecting
  authentication: "Máy chủ không chấp nhận tên đăng nhập và mật khẩu này.",
  permanent: "Máy chủ báo một sự cố cần có người xử lý.",
  pop_not_enabled: "POP đang bị tắt cho hộp thư này ở nhà cung cấp.",
  in_use: "Một chương trình khác đang đăng nhập vào hộp thư này.",
  login_too_frequent: "Máy chủ yêu cầu các lần đăng nhập cách nhau lâu hơn.",
  temporary: "Máy chủ đang gặp sự cố tạm thời.",
  protocol: "Máy chủ không trả lời như một máy chủ thư.",
  pop3: "Không dùng được máy chủ thư này.",
  smtp: "Không dùng được máy chủ thư đi này.",
  refused: "Máy chủ từ chối một lệnh.",
  tls: "Không lập được kết nối TLS đáng tin cậy với máy chủ.",
  network: "Không kết nối được với máy chủ, hoặc máy chủ ngắt kết nối hay không trả lời.",
  deadline: "Máy chủ trả lời quá chậm.",
  sign_in_off: "Máy chủ thư đi không cho đăng nhập theo cách này.",
  secret_unreadable: "Mật khẩu đã lưu không còn dùng được. Hãy nhập lại.",
  cycle_overtaken: "Một lần kiểm tra khác của tài khoản đã nhanh hơn.",
  // consent
  consent_needed: "popfetch chưa có hoặc không còn quyền mở hộp thư này. Hãy đăng nhập lại.",
  consent_refused:
    "Quyền truy cập chưa được cấp, hoặc chưa được cấp đủ. Hãy đăng nhập lại và đồng ý với mọi quyền được yêu cầu.",
  invalid_grant: "Nhà cung cấp không còn chấp nhận lần đăng nhập này. Hãy đăng nhập lại.",
  token_endpoint_unavailable: "Nhà cung cấp không trả lời như mong đợi. Hãy thử lại sau vài phút.",
  oauth_client_refused: "Nhà cung cấp không chấp nhận chính popfetch. Hãy báo cho người vận hành popfetch cho bạn.",
  oauth_not_configured: "popfetch chưa được đăng ký với nhà cung cấp này. Hãy báo cho người vận hành popfetch cho bạn.",
  no_oauth_provider: "Không thể đăng nhập ở nhà cung cấp cho các máy chủ này. Hãy dùng mật khẩu.",
  oauth_flow_invalid: "Lần đăng nhập này không còn được chờ nữa. Hãy bắt đầu lại.",
  other_browser: "Đây không phải là trình duyệt đã bắt đầu đăng nhập. Hãy bắt đầu lại ở đây.",
  // replies
  too_many_verification_mails: "Địa chỉ đó hoặc tài khoản này đã được hỏi quá nhiều lần. Hãy thử lại vào ngày mai.",
  mail_refused:
    "Thư xác nhận không gửi được. Hãy xem địa chỉ có đúng không, và việc gửi thư của tài khoản có hoạt động không.",
  mail_unavailable: "Hiện không gửi được thư. Hãy thử lại sau vài phút.",
  reply_to_link_invalid: "Liên kết này không dùng được hoặc không còn dùng được. Hãy yêu cầu liên kết mới.",
  // sending
  outgoing_auth_failed:
    "Máy chủ thư đi đã từ chối mật khẩu quá nhiều lần nên không gửi thư nữa. Hãy nhập lại mật khẩu trong phần cài đặt của tài khoản.",
  invalid_mail: "Không gửi được thư này như vậy. Hãy xem lại người nhận, tiêu đề và tệp đính kèm.",
  under_way: "Chính thư này đang được gửi.",
  idempotency_key_reused: "Thư này đã thay đổi từ lần gửi trước. Hãy gửi lại như một thư mới.",
  not_sent: "Máy chủ thư đi không nhận thư này.",
  sender_refused: "Máy chủ không cho tài khoản này gửi thư với địa chỉ người gửi này.",
  recipients_refused: "Máy chủ không nhận người nhận nào nên không có gì được gửi.",
  recipient_refused: "Máy chủ không nhận người nhận này.",
  message_refused: "Máy chủ không nhận thư này vì nội dung của thư.",
  message_too_large: "Thư này quá lớn. Hãy bỏ bớt tệp đính kèm.",
  utf8_not_offered: "Máy chủ này không gửi được đến địa chỉ có ký tự đặc biệt.",
  sending_too_frequent: "Máy chủ tạm thời không nhận thêm thư của tài khoản này. Hãy thử lại sau.",
  connection_lost: "Mất kết nối với máy chủ thư đi. Chưa có gì được gửi; hãy thử lại.",
  unconfirmed: "Máy chủ không cho biết đã nhận thư hay chưa.",
  // reading
  message_not_found: "Thư này không còn nữa.",
  attachment_not_found: "Tệp này không còn nữa.",
  attachment_beyond_reach:
    "Tệp này nằm trong phần thư quá lớn nên không đọc được ở đây. Hãy tải cả thư về: trong đó có tệp này.",
};

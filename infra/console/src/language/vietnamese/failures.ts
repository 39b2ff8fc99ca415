import type { Words } from "../words";

export const failures: Words["failures"] = {
  unreachable: "Không kết nối được với popfetch. Bạn có đang trực tuyến không?",
  internal: "popfetch gặp lỗi bên trong. Hãy thử lại sau giây lát.",
  too_many_requests: "Quá nhiều lần trong thời gian ngắn. Hãy đợi một lát rồi thử lại.",
  sign_in_refused: "Địa chỉ và mật khẩu này không khớp với nhau.",
  password_reset_required: "Cần thay mật khẩu này trước: hãy dùng “Quên mật khẩu?”.",
  code_refused: "Mã này sai hoặc đã hết hạn.",
  password_too_weak: "Mật khẩu này quá dễ đoán.",
  signed_out: "Phiên làm việc đã kết thúc. Hãy đăng nhập lại.",
};

import type { Words } from "../words";

export const checking: Words["checking"] = {
  checkNow: "Kiểm tra ngay",
  checkNowOf: (name) => `Kiểm tra ngay: ${name}`,
  checking: "Đang kiểm tra",
  checkingOf: (name) => `Đang kiểm tra: ${name}`,
  connecting: "Đang kết nối với máy chủ thư",
  progressOf: (name) => `Đang lấy thư của ${name}`,
  settled: (done, total) => `${done} trên ${total.written} thư`,
  done: (name, stored) => (stored.number === 0 ? `${name}: không có thư mới.` : `${name}: ${stored.written} thư mới.`),
  moreToCome: (name, stored, remaining) =>
    `${name}: ${stored.written} thư mới; còn ${remaining.written} thư trên máy chủ.`,
  failed: (name, why) => `Không kiểm tra được ${name}. ${why}`,
  takesLong: (name) => `Việc kiểm tra ${name} lâu hơn thường lệ. popfetch sẽ tự làm tiếp.`,
};

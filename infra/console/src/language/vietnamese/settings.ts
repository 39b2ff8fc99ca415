import type { Words } from "../words";

const every = (count: number) => {
  if (count === 1440) return "mỗi ngày";
  return count % 60 === 0 ? (count === 60 ? "mỗi giờ" : `mỗi ${count / 60} giờ`) : `mỗi ${count} phút`;
};

export const settings: Words["settings"] = {
  title: "Tài khoản thư",
  account: "Tài khoản thư",
  noSuchAccount: "Không có tài khoản này.",
  serverSaid: "Máy chủ trả lời:",
  atOutgoing: "Máy chủ thư đi:",
  name: "Tên",
  nameHint: "Tên hiển thị của tài khoản, ví dụ “Công việc” hoặc “Cá nhân”.",
  addressHint: "Địa chỉ người gửi hiển thị trong thư bạn gửi.",
  save: "Lưu thay đổi",
  saving: "Đang lưu. Cách đăng nhập mới được thử trước.",
  unsaved: "Có thay đổi chưa lưu.",
  discard: "Bỏ thay đổi",
  pause: "Tạm dừng",
  resume: "Chạy lại",
  pausedTitle: "Tài khoản này đang tạm dừng",
  paused: "popfetch không lấy thư theo lịch. “Kiểm tra ngay” vẫn dùng được.",
  toItsMail: "Xem thư của tài khoản",
  sections: {
    standing: "Tình trạng",
    name: "Tên và địa chỉ",
    retrieval: "Lấy thư",
    incoming: "Máy chủ thư đến (POP3)",
    outgoing: "Máy chủ thư đi (SMTP)",
    passwords: "Mật khẩu",
    consent: "Đăng nhập ở nhà cung cấp",
    replyTo: "Địa chỉ nhận thư trả lời",
    history: "Lịch sử",
    delete: "Xóa tài khoản",
    appearance: "Ngôn ngữ và giao diện",
  },
  standing: {
    active: "Đang hoạt động",
    backing_off: "Đang thử lại",
    auth_failed: "Xác thực không thành công",
    connection_failed: "Không kết nối được",
    paused: "Tạm dừng",
    notConnected: "Cần đăng nhập",
    failing: "Lần kiểm tra cuối bị lỗi",
    neverChecked: "Chưa kiểm tra lần nào",
    checked: (ago) => `Kiểm tra ${ago.toLocaleLowerCase("vi")}`,
    stored: (count) => `${count.written} thư mới`,
    nothingNew: "không có thư mới",
  },
  list: {
    opening: "Các tài khoản được kiểm tra và liệt kê theo thứ tự này. Tài khoản mặc định được hiển thị đầu tiên.",
    add: "Thêm tài khoản",
    emptyTitle: "Chưa có tài khoản thư nào",
    empty: "Hãy thêm một hộp thư bạn có ở nơi khác, popfetch sẽ lấy thư về đây.",
    default: "Mặc định",
    defaultLegend: "Các tài khoản thư; một trong số đó là tài khoản mặc định",
    defaultOf: (name) => `${name} là tài khoản mặc định`,
    pause: (name) => `Tạm dừng ${name}`,
    resume: (name) => `Cho ${name} chạy lại`,
    settingsOf: (name) => `Cài đặt của ${name}`,
    sendingFails: "Không gửi được thư.",
    moveUp: (name) => `Chuyển ${name} lên`,
    moveDown: (name) => `Chuyển ${name} xuống`,
    drag: (name) => `Kéo để di chuyển ${name}`,
    sortable: "có thể di chuyển",
    howToDrag:
      "Nhấn phím cách để nhấc tài khoản lên, dùng các phím mũi tên để di chuyển, nhấn phím cách lần nữa để đặt xuống, hoặc nhấn Escape để giữ nguyên vị trí cũ.",
    pickedUp: (name, place, of) => `Đã nhấc ${name}, vị trí ${place} trên ${of}.`,
    overPlace: (name, place, of) => `${name} đang ở trên vị trí ${place} trên ${of}.`,
    movedTo: (name, place, of) => `${name} giờ ở vị trí ${place} trên ${of}.`,
    putBack: (name, place) => `${name} vẫn ở vị trí ${place}.`,
  },
  add: {
    title: "Thêm tài khoản",
    addressTitle: "Hộp thư nào?",
    addressOpening:
      "popfetch tự tìm các máy chủ theo địa chỉ. Mật khẩu chỉ được gửi đến máy chủ của nhà cung cấp của bạn, không đến nơi nào khác.",
    address: "Địa chỉ email",
    password: "Mật khẩu",
    passwordHint: "Để trống nếu bạn đăng nhập ở nhà cung cấp, như với Gmail hoặc Outlook.",
    passwordKinds: {
      password: "Mật khẩu",
      app_password: "Mật khẩu ứng dụng",
      authorization_code: "Mã ủy quyền",
    },
    goOn: "Tiếp tục",
    lookingUp: (email) => `Đang tìm thông tin máy chủ cho ${email} …`,
    foundTitle: "Đã tìm thấy thông tin máy chủ",
    notFoundTitle: "Nhập thông tin máy chủ",
    nothingFound:
      "Không tìm thấy thông tin máy chủ cho địa chỉ này. Hãy hỏi nhà cung cấp về máy chủ POP, hoặc tìm mục POP trong phần cài đặt của hộp thư: có thể phải bật POP trước.",
    noPop:
      "Nhà cung cấp này không có POP cho hộp thư của họ nên popfetch không lấy được thư. Hãy hỏi họ có bật POP được không, hoặc chuyển tiếp thư đến một hộp thư có POP.",
    ifRefused:
      "Nếu bị từ chối đăng nhập, hãy xem có phải bật POP trong phần cài đặt của hộp thư, hoặc phải tạo mật khẩu ứng dụng không.",
    strangeServers: (hosts) =>
      `Tôi biết rằng nhà cung cấp của tôi đặt máy chủ tại ${hosts}. Các máy chủ này không thuộc tên miền của địa chỉ và sẽ nhận mật khẩu của tôi.`,
    byHand: "Tự nhập thông tin máy chủ",
    change: "Thay đổi",
    wayIn: "Cách đăng nhập",
    signInAt: (name) => `Đăng nhập bằng ${name}`,
    consentHint: "Bạn cho phép trên trang của chính nhà cung cấp. popfetch không bao giờ thấy mật khẩu của bạn.",
    consentOnly: (name) =>
      `${name} không nhận mật khẩu từ các chương trình. Bạn cho phép trên trang của chính ${name}.`,
    consentMissing: (name) =>
      `Ở đây chưa thiết lập đăng nhập bằng ${name}. Hãy dùng cách dưới đây, hoặc hỏi người vận hành popfetch cho bạn.`,
    notRegistered: (name) =>
      `popfetch chưa được đăng ký với ${name} nên không ai đăng nhập được ở đó. Hãy báo cho người vận hành popfetch cho bạn.`,
    add: "Thêm tài khoản",
    addUntried: "Thêm mà không thử đăng nhập",
    trying: (host) => `Đang thử đăng nhập tại ${host} …`,
    goingTo: (name) => `Đang chuyển đến ${name} …`,
    toAccounts: "Đến các tài khoản thư",
  },
  added: {
    title: "Đã thêm tài khoản",
    now: "Đăng nhập được. Những thư đầu tiên đang được lấy về.",
    later: (count) =>
      `Đã có tài khoản. Nhà cung cấp này yêu cầu hai lần đăng nhập cách nhau ${count.written} phút, nên những thư đầu tiên sẽ tự về sau đó một chút.`,
    here: "Đăng nhập được, và những thư đầu tiên đã về.",
    failed: "Đã có tài khoản, nhưng lần kiểm tra đầu tiên không thành công. popfetch sẽ tự thử lại.",
    consentWaits: "Đã có tài khoản. Thư sẽ về khi bạn đã đăng nhập ở nhà cung cấp.",
    toAccount: "Cài đặt tài khoản",
    toAccounts: "Tất cả tài khoản",
  },
  server: {
    host: "Máy chủ",
    port: "Cổng",
    security: "Bảo mật",
    securities: { tls: "TLS", starttls: "STARTTLS", none: "Không có (không bảo vệ)" },
    portAnd: (port, security) => `cổng ${port}, ${security}`,
    unprotected:
      "Khi không được bảo vệ, bất kỳ ai trên đường truyền cũng đọc được mật khẩu và thư. Hãy hỏi nhà cung cấp về máy chủ có TLS.",
    username: "Tên đăng nhập",
    password: "Mật khẩu",
    passwordAgain: "Cần nhập lại: mật khẩu đã lưu chỉ được gửi đến máy chủ mà nó được nhập cho.",
    sends: "Gửi thư từ tài khoản này",
    sendsHint: "Không có máy chủ thư đi, tài khoản chỉ nhận thư.",
    samePassword: "Cùng mật khẩu với máy chủ thư đến",
    receiveOnly: "không có; tài khoản chỉ nhận thư",
  },
  retrieval: {
    interval: "Kiểm tra thư",
    intervalHint: "Khoảng cách giữa hai lần kiểm tra.",
    shortest: (count) => `Nhà cung cấp này yêu cầu hai lần đăng nhập cách nhau ít nhất ${count.written} phút.`,
    every,
    recommended: (text) => `${text} (khuyên dùng)`,
    perCycle: "Số thư mỗi lần",
    perCycleHint: "Nhiều nhất bấy nhiêu thư được lấy trong một lần.",
    messages: (count) => `${count.written} thư`,
    upTo: (count) => `tối đa ${count} thư mỗi lần`,
    catchUp: "Lấy hết thư tồn, không chờ",
    catchUpHint: "Khi trên máy chủ còn thư, các lần kiểm tra nối tiếp nhau ngay.",
    start: "Lấy những thư nào",
    starts: { all: "Mọi thư trên máy chủ", now: "Chỉ thư đến từ bây giờ", since: "Từ một ngày" },
    since: "Ngày",
    sinceDay: (day) => `Từ ngày ${day}`,
    order: "Thư nào trước",
    orders: { newest_first: "Mới nhất trước", oldest_first: "Cũ nhất trước" },
    afterFetch: "Sau khi lấy, trên máy chủ của nhà cung cấp",
    afterFetches: {
      keep: "Giữ thư ở đó",
      delete_after_days: "Xóa thư ở đó sau một số ngày",
      delete: "Xóa thư ở đó ngay",
    },
    keptThere: "giữ thư ở nhà cung cấp",
    deletedThere: "xóa thư ở nhà cung cấp",
    deletedAfter: (days) => `xóa thư ở nhà cung cấp sau ${days.written} ngày`,
    days: "Số ngày",
    deletionWarning:
      "Thư bị xóa trên máy chủ của nhà cung cấp và không khôi phục được ở đó. popfetch chỉ xóa những thư đã lưu an toàn; các chương trình khác dùng hộp thư này sẽ không còn thấy thư đó.",
  },
  passwords: {
    opening:
      "Mỗi mật khẩu được đổi riêng, vì có thể chỉ một trong hai đã thay đổi. Mật khẩu mới được thử trước, và được lưu nếu dùng được.",
    labels: { incoming: "Mật khẩu mới của máy chủ thư đến", outgoing: "Mật khẩu mới của máy chủ thư đi" },
    tryAndKeep: "Thử và lưu",
    kept: {
      incoming: "Mật khẩu thư đến mới dùng được và đã được lưu.",
      outgoing: "Mật khẩu thư đi mới dùng được và đã được lưu.",
    },
  },
  consent: {
    provider: "nhà cung cấp",
    again: "Đăng nhập lại",
    instead: (name) => `Đăng nhập bằng ${name} thay cho mật khẩu`,
    notUsed: (name) => `Tài khoản này được mở bằng mật khẩu. ${name} cũng cho phép đăng nhập trên trang của họ.`,
    connectedSince: (name, since) => `Đã kết nối với ${name} từ ${since}.`,
    notConnected: (name) => `Chưa kết nối với ${name}: popfetch không lấy thư cho đến khi bạn đăng nhập ở đó.`,
    usePassword: "Dùng mật khẩu",
    usePasswordText:
      "Phần lớn các nhà cung cấp này yêu cầu mật khẩu ứng dụng, được tạo trong phần cài đặt bảo mật của họ. Mật khẩu này thay cho quyền truy cập bạn đã cấp.",
    passwordKept: "Mật khẩu dùng được và đã được lưu. Quyền truy cập đã được trả lại.",
    disconnect: "Ngắt kết nối",
    disconnectTitle: (name) => `Ngắt kết nối với ${name}?`,
    disconnectText: "popfetch trả lại quyền truy cập. Thư không được lấy hay gửi cho đến khi bạn đăng nhập lại.",
    byCode: "Đăng nhập bằng mã",
    enterCode: "Mở trang này trong bất kỳ trình duyệt nào, trên bất kỳ thiết bị nào, và nhập mã ở đó:",
    waitingForCode: "Đang chờ mã được nhập …",
    unprotected:
      "Nhà cung cấp đưa ra một trang không được bảo vệ. Đừng tiếp tục; hãy báo cho người vận hành popfetch cho bạn.",
  },
  replyTo: {
    opening: (own) => `Thư trả lời được gửi đến ${own}, hoặc đến một địa chỉ khác khi người đọc địa chỉ đó đã đồng ý.`,
    address: "Địa chỉ nhận thư trả lời",
    another: "Địa chỉ khác",
    hint: "Một thư có liên kết được gửi đến đó. Địa chỉ được dùng khi liên kết đã được xác nhận.",
    ask: "Gửi thư xác nhận",
    askAgain: "Hỏi lại",
    remove: "Gỡ bỏ",
    asked: (address) => `Một thư có liên kết đang được gửi đến ${address}.`,
    removed: "Thư trả lời lại được gửi đến địa chỉ của chính tài khoản.",
    inForce: (address) => `Đã xác nhận: thư trả lời được gửi đến ${address}.`,
    waiting: (address, until) => `Đang chờ ${address} được xác nhận, đến ${until}.`,
    unanswered: (address) => `Không ai xác nhận ${address} kịp thời. Hãy hỏi lại nếu bạn vẫn muốn dùng.`,
    now: (address) => `Thư trả lời được gửi đến ${address}.`,
    meanwhile: (address) => `Cho đến lúc đó, thư trả lời được gửi đến ${address}.`,
  },
  history: {
    opening: "Các lần kiểm tra trong 30 ngày qua có việc xảy ra.",
    none: "Chưa có gì xảy ra.",
    chart: (cycles, stored, failed) =>
      `${cycles.written} lần kiểm tra: đã lưu ${stored.written} thư, ${failed.written} lần bị lỗi. Bảng bên dưới liệt kê từng lần.`,
    stored: "Đã lưu",
    failed: "Bị lỗi",
    asTable: "Dạng bảng",
    older: "Cũ hơn",
    when: "Lúc",
    outcome: "Kết quả",
    size: "Dung lượng",
    skipped: "Bỏ qua",
    quarantined: "Không đọc được",
    remaining: "Còn chờ",
    outcomes: {
      nothing_new: "Không có thư mới",
      stored: "Đã lưu",
      partial: "Đã lưu một phần",
      failed: "Bị lỗi",
    },
  },
  deletion: {
    opening: "Tài khoản bị xóa khỏi popfetch ngay. Ở nhà cung cấp không có gì thay đổi.",
    begin: "Xóa tài khoản …",
    title: (name) => `Xóa ${name}?`,
    text: "Cài đặt và mật khẩu của tài khoản bị xóa. Việc lấy thư và gửi thư kết thúc.",
    mail: "Thư mà popfetch đã lưu thì sao?",
    keep: "Giữ thư trong kho lưu trữ",
    keepHint: "Thư vẫn ở trong kho lưu trữ của bạn, nhưng không hiển thị ở đây nữa.",
    erase: "Xóa cả thư",
    eraseHint: "Không khôi phục được, trừ khi thư vẫn còn ở nhà cung cấp.",
    typeIt: (email) => `Nhập ${email} để xác nhận`,
    confirm: "Xóa tài khoản",
    confirmWithMail: "Xóa tài khoản và thư",
    erasing: (name) => `Đã xóa ${name}. Những gì còn lại đang được xóa dần.`,
    done: (name) => `Đã xóa ${name}.`,
  },
  troubles: {
    titles: {
      not_connected: "Tài khoản này đang chờ bạn đăng nhập ở nhà cung cấp",
      sign_in_failed: "Xác thực không thành công: thư không được lấy về",
      no_connection: "Không kết nối được: thư không được lấy về",
      failing: "Lần kiểm tra cuối không thành công",
      sending: "Không gửi được thư từ tài khoản này",
    },
    remedies: {
      consent: "Hãy đăng nhập ở nhà cung cấp bằng đúng hộp thư này và đồng ý với mọi quyền được yêu cầu.",
      password:
        "Nếu mật khẩu đã được đổi hoặc đã hết hạn, hãy nhập mật khẩu mới ở đây. Một số nhà cung cấp yêu cầu mật khẩu ứng dụng.",
      settings: "Hãy xem máy chủ, cổng và kiểu bảo mật có còn đúng không.",
      check: "Khi đã khắc phục, hãy kiểm tra ngay.",
    },
    changeSettings: "Sửa cài đặt",
    byItself: "popfetch sẽ tự thử lại.",
    details: "Chi tiết sự việc",
  },
  problems: {
    required: "Cần điền mục này.",
    email: "Hãy nhập một địa chỉ email, ví dụ anna@example.com.",
    host: "Hãy nhập tên máy chủ, ví dụ pop.example.com, không có https:// và không có cổng.",
    port: "Hãy nhập một số từ 1 đến 65535.",
    date: "Hãy chọn một ngày.",
    days: "Hãy nhập số ngày từ 1 đến 3650.",
    passwordAgain: "Hãy nhập lại mật khẩu: máy chủ đã thay đổi.",
    marked: "Có mục chưa đúng. Hãy xem các mục được đánh dấu.",
    refused: () => "Giá trị này không dùng được ở đây.",
  },
  connected: {
    heading: "Từ bây giờ, popfetch được phép lấy thư của hộp thư này",
    well: "Thư sẽ tự về, thường là trong vài phút. Một số nhà cung cấp yêu cầu các lần đăng nhập cách nhau lâu hơn; khi đó có thể mất nửa giờ. Tài khoản mà bạn đã tạm dừng thì vẫn tạm dừng.",
    other:
      "Khi popfetch vừa thử các máy chủ thư của tài khoản này, không phải mọi việc đều ổn. Hãy mở tài khoản này để xem có vấn đề gì và cần làm gì tiếp.",
    codes: {
      pop_not_enabled:
        "POP vẫn đang bị tắt cho hộp thư này ở nhà cung cấp, nên chưa lấy được thư. Hãy bật POP trong phần cài đặt ở nhà cung cấp, sau đó chọn “Kiểm tra ngay” cho tài khoản này.",
      sign_in_off:
        "Hiện chưa gửi được thư: máy chủ thư đi không cho đăng nhập theo cách này. Hãy xem cổng của máy chủ thư đi có đúng không, và việc gửi thư qua SMTP có được bật ở nhà cung cấp không. Việc lấy thư không bị ảnh hưởng.",
      cannot_connect:
        "popfetch vừa thử mà không kết nối được với một máy chủ thư của tài khoản này. Nếu không có thư nào về, hoặc không gửi được thư, hãy xem máy chủ, cổng và kiểu bảo mật của tài khoản có đúng không.",
      tls_failed:
        "Không lập được kết nối bảo mật đáng tin cậy với một máy chủ thư của tài khoản này. Nếu không có thư nào về, hoặc không gửi được thư, hãy xem máy chủ, cổng và kiểu bảo mật của tài khoản có đúng không; nếu đã đúng, chỉ nhà cung cấp mới khắc phục được.",
      too_frequent:
        "Máy chủ thư yêu cầu các lần đăng nhập cách nhau lâu hơn, nên có thể nửa giờ nữa thư đầu tiên mới về. Bạn không cần làm gì cả.",
      maildrop_busy:
        "Một chương trình khác đang đăng nhập vào hộp thư này. Hãy đóng chương trình đó, hoặc chờ: khi hộp thư rảnh, thư sẽ về trong lần kiểm tra tiếp theo.",
      server_error:
        "Khi popfetch vừa thử, một máy chủ thư của tài khoản này không trả lời như mong đợi. popfetch sẽ tự thử lại; nếu vẫn không được, hãy xem tài khoản này báo gì, hoặc hỏi nhà cung cấp.",
      sign_in_refused:
        "Hiện chưa gửi được thư: máy chủ thư đi đã từ chối đăng nhập. Nếu bạn chưa đồng ý với mọi quyền được yêu cầu, hãy chọn “Đăng nhập lại” ở đây. Nếu đã đồng ý, hãy xem việc gửi thư qua SMTP có được bật ở nhà cung cấp không; có thể quản trị viên của hộp thư phải cho phép. Việc lấy thư không bị ảnh hưởng.",
    },
  },
  notConnected: {
    heading: "Đăng nhập không thành công",
    other:
      "Đã có lỗi xảy ra mà ở đây không rõ nguyên nhân. Hãy chờ vài phút, sau đó chọn “Đăng nhập lại” ở đây. Nếu việc này lặp lại, hãy báo cho người vận hành popfetch cho bạn.",
    codes: {
      consent_refused:
        "popfetch chưa được phép mở hộp thư này: quyền truy cập chưa được cấp, chưa được cấp đủ, hoặc được cấp quá muộn. Nếu bạn muốn cho phép, hãy chọn “Đăng nhập lại” ở đây, rồi đồng ý với mọi quyền được yêu cầu. Nếu nhà cung cấp không cho bạn làm vậy, có thể quản trị viên của hộp thư phải cho phép trước.",
      sign_in_refused:
        "Bạn đã đăng nhập, nhưng máy chủ thư của tài khoản này không chấp nhận lần đăng nhập đó. Có thể bạn đã đăng nhập cho một hộp thư khác: hãy chọn “Đăng nhập lại” ở đây bằng đúng hộp thư của tài khoản. Nếu bạn đã làm đúng như vậy, hãy xem POP có được bật trong phần cài đặt ở nhà cung cấp không; có thể quản trị viên của hộp thư phải cho phép.",
      token_endpoint_unavailable:
        "Nhà cung cấp không trả lời như mong đợi. Hãy chờ vài phút, sau đó chọn “Đăng nhập lại” ở đây.",
      oauth_client_refused:
        "Nhà cung cấp không chấp nhận chính popfetch, nên hiện không ai đăng nhập được ở đó. Đây không phải là lỗi của bạn: hãy báo cho người vận hành popfetch cho bạn, vì chỉ người đó mới khắc phục được.",
      oauth_not_configured:
        "popfetch chưa được đăng ký với nhà cung cấp này, nên không ai đăng nhập được ở đó. Đây không phải là lỗi của bạn: hãy báo cho người vận hành popfetch cho bạn, vì chỉ người đó mới khắc phục được.",
      account_not_found:
        "Tài khoản cần đăng nhập không còn ở đây nữa. Nếu bạn vẫn muốn lấy thư của tài khoản đó, hãy thêm lại tài khoản.",
      account_changed:
        "Tài khoản này đã được thay đổi ở nơi khác vào đúng lúc đó. Hãy xem các thông tin có đúng như bạn muốn không, sau đó chọn “Đăng nhập lại” ở đây.",
      invalid_account:
        "Các máy chủ của tài khoản này không còn phù hợp với lần đăng nhập này: chúng thuộc về một nhà cung cấp khác, hoặc kết nối với chúng không được bảo vệ. Hãy sửa máy chủ và kiểu bảo mật của tài khoản, sau đó đăng nhập lại ở đây.",
      account_already_added:
        "Bạn đã có một tài khoản khác cho cùng hộp thư này. Hãy dùng tài khoản đó; nếu bạn muốn dùng tài khoản này, hãy xóa tài khoản kia rồi đăng nhập lại ở đây.",
      host_refused:
        "popfetch không kết nối với một máy chủ của tài khoản này: tên máy chủ không tồn tại, hoặc dẫn đến một địa chỉ không được phép. Hãy sửa máy chủ của tài khoản, sau đó đăng nhập lại ở đây.",
      storage_unavailable: "Đã có lỗi xảy ra ở popfetch. Hãy chờ một phút, sau đó chọn “Đăng nhập lại” ở đây.",
    },
  },
};

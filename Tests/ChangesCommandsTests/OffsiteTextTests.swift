import Offsite
import Testing

@testable import ChangesCommands

@Suite struct ByteRateTextTests {
    @Test(arguments: [("20MB/s", Int64(20_000_000)), ("512KiB/s", 512 << 10), ("1000/s", 1_000), ("0B/s", 0)])
    func parses(text: String, rate: Int64) {
        #expect(ByteRateText.parse(text) == rate)
        #expect(ByteRateText.parse(ByteRateText.format(rate)) == rate)
    }

    @Test(arguments: ["", "/s", "20MB", "20MB/h", "20M/s", "20MB /s", "20Mbit/s", "20MB/S", "-1MB/s"])
    func refuses(text: String) { #expect(ByteRateText.parse(text) == nil) }
}

@Suite struct PercentTextTests {
    @Test(arguments: [
        ("0%", 0.0, "0%"), ("10%", 10, "10%"), ("100%", 100, "100%"), ("007%", 7, "7%"), ("12.5%", 12.5, "12.5%"),
        ("0.0001%", 0.0001, "0.0001%"), ("99.9999%", 99.9999, "99.9999%"), ("1.0%", 1, "1%"),
    ])
    func parses(text: String, percent: Double, formatted: String) {
        #expect(PercentText.parse(text) == percent)
        #expect(PercentText.format(percent) == formatted)
    }

    @Test(arguments: [
        "", "%", "10", "10 %", " 10%", "-1%", "+1%", "100.0001%", "101%", ".5%", "5.%", "1.2.3%", "0.00001%", "1e1%",
        "nan%", "inf%", "0x1%", "10%%", "٣%",
    ])
    func refuses(text: String) { #expect(PercentText.parse(text) == nil) }

    @Test func whatIsFormattedParsesToTheSame() {
        for number in 0...10_000 {
            let percent = Double(number) / 10_000
            #expect(PercentText.parse(PercentText.format(percent)) == percent)
        }
    }
}

@Suite struct TimeWindowTextTests {
    @Test(arguments: [
        ("22:00-07:00", 1_320, 420), ("00:00-00:00", 0, 0), ("23:59-00:01", 1_439, 1), ("09:05-10:00", 545, 600),
    ])
    func parses(text: String, start: Int, end: Int) {
        #expect(TimeWindowText.parse(text) == TimeWindow(start: start, end: end))
        #expect(TimeWindowText.format(TimeWindow(start: start, end: end)) == text)
    }

    @Test(arguments: [
        "", "-", "22:00", "22:00-", "22:00-7:00", "22:00-24:00", "22:60-07:00", "22-07", "22:00 - 07:00",
        "22:00-07:00-",
        "22:00:00-07:00", "+2:00-07:00", "22:00–07:00", "2２:00-07:00",
    ])
    func refuses(text: String) { #expect(TimeWindowText.parse(text) == nil) }
}

@Suite struct BaseURLTextTests {
    @Test(arguments: [
        ("http://monitor:9091", "http://monitor:9091"), ("https://monitor", "https://monitor"),
        ("http://monitor:9091/", "http://monitor:9091"),
        ("https://m.example.org/push/gate//", "https://m.example.org/push/gate"),
        ("http://10.0.0.1:1", "http://10.0.0.1:1"), ("http://[::1]:9091/x", "http://[::1]:9091/x"),
        ("http://[::1]", "http://[::1]"), ("http://m//", "http://m"),
    ])
    func parses(text: String, url: String) {
        #expect(BaseURLText.parse(text) == url)
        #expect(BaseURLText.parse(url) == url)
    }

    @Test(arguments: [
        "", "monitor:9091", "ftp://m", "HTTP://m", "http://", "http:///x", "http://:9091", "http://m:", "http://m:0",
        "http://m:65536", "http://m:x", "http://u@m", "http://u:p@m", "http://m?x", "http://m/?x=1", "http://m/#x",
        "http://m/a b", "http://-m", "http://[::1", "http://[]", "http://[::1]x", "http://[::1]9091", "http://m/\n",
        "http://m\\x", "http://ü", "http://m:9091:1",
    ])
    func refuses(text: String) { #expect(BaseURLText.parse(text) == nil) }
}

@Suite struct ProgressTextTests {
    @Test func whatIsKnownIsShown() {
        var progress = RsyncProgress(
            bytes: 1_258_291, percent: 34, rate: 5_872_025, secondsLeft: 12, files: .init(done: 12, total: 345))
        #expect(ProgressText.of(progress) == "12 of 345 files  1.19 MiB  34%  5.59 MiB/s  0:00:12 left")
        progress.files?.isTotalKnown = false
        progress.secondsLeft = 36_000 + 754
        #expect(ProgressText.of(progress) == "12 of 345+ files  1.19 MiB  34%  5.59 MiB/s  10:12:34 left")
        progress.files = nil
        progress.secondsLeft = nil
        #expect(ProgressText.of(progress) == "1.19 MiB  34%  5.59 MiB/s")
    }
}

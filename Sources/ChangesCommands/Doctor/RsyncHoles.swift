import Offsite

/// What is known to be wrong with a version of rsync, as far as this program's use of it is concerned: it sends, lists
/// and restores, and the other side may be in somebody else's hands.
///
/// Sources: the NEWS of rsync 3.4.0 (which names VU#952657), 3.4.2 and 3.5.0, its commits, the CVE records
/// (github.com/CVEProject/cvelistV5), and the changelog of Debian's package. Left out: what needs options that are not
/// used (CVE-2024-12088 `--safe-links`, CVE-2026-43618 `--compress`, CVE-2026-41035 `--xattrs`), holes of a daemon and
/// of rrsync, which are the destination's, and what only crashes a restore (CVE-2026-43620).
enum RsyncHoles {
    /// 3.4.0 and the packages with its patches say this; see `RsyncVersion.protocolNumber`.
    private static let mendedProtocol = 32

    static func finding(_ check: String, _ version: RsyncVersion) -> Finding {
        if !version.isBefore((3, 5, 0)) { return .ok(check, version.text) }
        let isPatched = version.isBefore((3, 4, 0)) && version.protocolNumber >= mendedProtocol
        if version.isBefore((3, 4, 0)), !isPatched { return beforeJanuary2025(check, version) }
        let how = isPatched ? ", with the patches of 3.4.0 (protocol 32)," : ""
        // Its commit (797e17fc) says that no harm can be done with it, its record (CVSS 4.3) that some can.
        let index = version.isBefore((3, 4, 2)) ? "CVE-2025-10158, " : ""
        // No number tells of patches for these in an older package; Debian 12 got 3.5.0 itself.
        return .note(
            check,
            "rsync \(version.text)\(how) has further holes unless its package has the patches of 3.5.0: whoever takes "
                + "over a destination can make it read outside of its buffers (\(index)CVE-2026-53792) and never time "
                + "out (CVE-2026-70462) when it sends, and write outside of them when it lists (CVE-2026-70458); and "
                + "who may write to the source can have files and names outside of it sent (CVE-2026-53797, "
                + "CVE-2026-53801), which the worker's sandbox prevents",
            remedy: remedy)
    }

    /// All closed by 3.4.0 and, in Debian 12, by 3.2.7-1+deb12u1.
    private static func beforeJanuary2025(_ check: String, _ version: RsyncVersion) -> Finding {
        // 3.2.7 brought digests longer than the 16 bytes that it kept for one (its record: 3.2.7 and 3.3.0).
        let heap = version.isBefore((3, 2, 7)) ? "" : " or run its code here (CVE-2024-12084)"
        // CVE-2024-12086: the record speaks of sending; what was mended is the receiver (c35e2833).
        return .warning(
            check,
            "rsync \(version.text) has known holes: whoever takes over a destination can read this program's memory "
                + "(CVE-2024-12085)\(heap) when it sends, and get or write files outside of --to when it restores "
                + "(CVE-2024-12086, CVE-2024-12087); and who may write to the source can have files outside of it sent "
                + "(CVE-2024-12747), which the worker's sandbox prevents; 3.5.0 closes these and later ones",
            remedy: remedy)
    }

    private static let remedy =
        "apt-get update && apt-get install --only-upgrade rsync (3.5.0; in Debian 12 3.5.0+ds1-0+deb12u1)"
}

//! Which requests go through a proxy, by the rules of the HTTP client itself.

use hyper_util::client::proxy::matcher::Matcher;

/// Whether a request for `url` goes through a proxy where the environment names `proxy` as that of the URL's scheme, and
/// `no_proxy` in `NO_PROXY`. No request does if `proxy` is nothing that the HTTP client can use: it then ignores it
/// without a word (`hyper_util::client::proxy::matcher`).
#[must_use]
pub fn goes_through_proxy(url: &str, proxy: &str, no_proxy: &str) -> bool {
    let matcher = Matcher::builder().all(proxy).no(no_proxy).build();
    url.parse()
        .is_ok_and(|url| matcher.intercept(&url).is_some())
}

#[cfg(test)]
mod tests {
    use super::goes_through_proxy;

    #[test]
    fn what_the_client_takes_for_a_proxy() {
        let url = "https://registry.example.com:5000/v2/";
        for (proxy, no_proxy, expected) in [
            ("http://127.0.0.1:9", "", true),
            ("https://user:word@proxy.example:3128/", "", true),
            ("proxy.example:3128", "", true),
            ("socks5h://proxy.example", "", true),
            ("http://127.0.0.1:9", "other.example", true),
            ("http://127.0.0.1:9", "example.com", false),
            ("http://127.0.0.1:9", "*", false),
            ("ftp://proxy.example", "", false),
            ("bogus:://x", "", false),
            ("", "", false),
        ] {
            let goes = goes_through_proxy(url, proxy, no_proxy);
            assert_eq!(goes, expected, "{proxy}, but not for {no_proxy}");
        }
    }
}

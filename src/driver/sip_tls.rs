//! SIP's TLS: who we are, to those who connect and to those we connect to, and whom we believe.

mod visitor;

use super::kept::Kept;
use super::peers::Asked;
use super::tls::{certificates, pem};
use crate::config::SipTls;
use anyhow::Context;
use std::sync::Arc;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, UnixTime};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use visitor::{Anyone, Visitors};

/// Both sides of a handshake, out of the same files.
pub(super) struct Secure {
    /// For everybody who connects: nobody is asked for a certificate.
    server: Arc<ServerConfig>,
    /// For those at a trunk's address who must show one: without it they are strangers, with one
    /// that no authority of ours has signed they are not let in.
    asking: Arc<ServerConfig>,
    /// For everybody where a trunk is known by its certificate alone: with one that no authority of ours
    /// has signed they are strangers, as without.
    listening: Arc<ServerConfig>,
    visitors: Arc<Visitors>,
    /// Those we connect to must show a certificate of the right name, and are shown ours.
    pub(super) client: Arc<ClientConfig>,
}

impl Secure {
    /// Our side of a handshake with somebody who is asked so.
    pub(super) fn to_ask(&self, asked: Asked) -> &Arc<ServerConfig> {
        match asked {
            Asked::Nobody => &self.server,
            Asked::Carrier => &self.asking,
            Asked::Anybody => &self.listening,
        }
    }

    /// The certificate they have shown in it, if an authority of ours has signed it.
    pub(super) fn believed<'a>(
        &self,
        asked: Asked,
        shown: Option<&[CertificateDer<'a>]>,
    ) -> Option<CertificateDer<'a>> {
        let (first, between) = shown?.split_first()?;
        // Of a carrier, the handshake has looked already.
        let holds = asked == Asked::Carrier || self.visitors.believe(first, between, UnixTime::now()).is_ok();
        holds.then(|| first.clone())
    }
}

/// Reads the files; again when they change.
///
/// # Errors
/// What is wrong with which file, in words for the operator.
pub(super) fn load(files: &SipTls) -> anyhow::Result<Arc<Kept<Secure>>> {
    let paths = vec![files.identity.certificate.clone(), files.identity.key.clone(), files.ca.clone()];
    let files = files.clone();
    Kept::load(paths, Box::new(move || read(&files).map(Arc::new)))
}

fn read(files: &SipTls) -> anyhow::Result<Secure> {
    let (chain, key) = pem(&files.identity.certificate, &files.identity.key)?;
    let mut believed = RootCertStore::empty();
    for authority in certificates(&files.ca)? {
        believed.add(authority).with_context(|| format!("`{}` is no authority", files.ca.display()))?;
    }
    let (believed, provider) = (Arc::new(believed), Arc::new(ring::default_provider()));
    let unfit = || {
        let (certificate, key) = (files.identity.certificate.display(), files.identity.key.display());
        format!("`{certificate}` and `{key}` do not fit")
    };
    let as_client = WebPkiClientVerifier::builder_with_provider(Arc::clone(&believed), Arc::clone(&provider))
        .allow_unauthenticated()
        .build()
        .with_context(|| format!("`{}` holds no authority", files.ca.display()))?;
    let algorithms = provider.signature_verification_algorithms;
    let visitors = Arc::new(Visitors { as_client, believed: Arc::clone(&believed), algorithms });
    let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain.clone(), key.clone_key())
        .with_context(unfit)?;
    let listening = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(Arc::new(Anyone(Arc::clone(&visitors))))
        .with_single_cert(chain.clone(), key.clone_key())
        .with_context(unfit)?;
    let asking = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(Arc::clone(&visitors) as _)
        .with_single_cert(chain.clone(), key.clone_key())
        .with_context(unfit)?;
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(believed)
        .with_client_auth_cert(chain, key)
        .with_context(unfit)?;
    let [server, asking, listening] = [server, asking, listening].map(Arc::new);
    Ok(Secure { server, asking, listening, visitors, client: Arc::new(client) })
}
